// Package version holds what the build stamps into both programs.
package version

// Home is where the project lives; its documents are below blob/main/docs.
const Home = "https://github.com/cyborg-run/cyborg-run"

// Version is the release or commit, set by the linker.
var Version = "dev"
