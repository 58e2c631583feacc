"""Metal's and the AGX driver's classes, out of the rehearsal's class dump: recorders for all, behaviour for the life of encoders."""
