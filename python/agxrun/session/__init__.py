"""A pytest session under agxrun: `outer` starts it and tells what died, `inner` notes in it what runs."""
