// Package spec reads the YAML file that a user writes and resolves it into one document.
//
// A spec may extend other files, declare parameters, choose a profile and hold ${...} expressions. Load settles all of
// that, in this order, and reports every problem that it finds instead of the first one:
//
//	read      one file to a tree of Values, each of which knows its place
//	extends   the files it names, first to last, then the file itself, merged (see below)
//	profile   the one that --profile or the key `profile` names, merged over that
//	--set     parameters and fields from the command line
//	${...}    parameters first, then every scalar
//
// Merging: maps merge key by key, everything else is replaced by the later value. Two suffixes say otherwise:
// `key+: [..]` appends to the list that is there, `key!: ..` puts the value in place of what is there, maps included.
//
// What remains is generic: the package knows the frame of a spec (version, name, title, description, params and the
// uses, needs and matrix of its stages) and leaves the other keys, its sections, to Decode and the Go types of those
// who own them.
//
// Words: a Value is one resolved YAML value; its path is the way to it in the document ("stages.fit.matrix.seed"), as
// --set writes it; its place is where it was written.
//
// A relative path in a spec (Value.Resolve) is relative to the folder of the file that wrote it, so that an extended
// file brings its own; one that begins with ${parameter} is relative to where that parameter got its value. What comes
// from --set or from the environment is relative to the working directory.
//
// Nothing here is safe for concurrent use while it is being changed; a loaded Document is only read.
package spec
