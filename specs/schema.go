// Package specs holds the JSON Schema of specs, which is published beside them. `go generate ./stages` writes it.
package specs

import _ "embed"

// Schema is cyborg-run.schema.json: JSON Schema, draft 2020-12, of one spec file.
//
//go:embed cyborg-run.schema.json
var Schema []byte
