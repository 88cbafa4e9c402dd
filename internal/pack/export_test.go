package pack

// Preamble is what comes first in a file with that header, and the header.
var Preamble = start
