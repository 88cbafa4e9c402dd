// Package version holds what the build stamps into both programs.
package version

// Version is the release or commit, set by the linker.
var Version = "dev"
