"""A model of Apple's Objective-C runtime, in so far as the fix library and the modelled driver use it."""
