"""Metal's and the AGX driver's classes, out of the rehearsal's class dump: recorders, and behaviour where encoders live."""
