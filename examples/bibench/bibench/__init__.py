"""Eight binary methods compared on six tracks, after BiBench (ICML 2023), with networks and artefacts of our own."""
