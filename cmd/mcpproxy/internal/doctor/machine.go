package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mcpproxy/internal/hint"
)

// secrets looks at the keyring if a server needs it, and at every placeholder.
func secrets(_ context.Context, opt Options) []Finding {
	if opt.Secrets == nil || opt.Expand == nil {
		return nil
	}
	needed := false
	var list []Finding
	for _, s := range opt.Servers {
		for _, text := range s.Texts {
			needed = needed || strings.Contains(text, "${keyring:")
			if _, err := opt.Expand(text); err != nil {
				list = append(list, because("secret.unresolved", Error, s.Name, err, "do what is named, then: "+hint.Command("upstream", "restart", s.Name)))
			}
		}
	}
	names, err := opt.Secrets()
	switch {
	case err != nil && needed:
		list = append([]Finding{because("keyring.unavailable", Error, "keyring", err, `unlock it, or choose "secrets_backend": "file"`)}, list...)
	case err != nil:
		f := because("keyring.unavailable", Attention, "keyring", err, "")
		f.Fix = "no server needs it now; secrets and logins would"
		list = append(list, f)
	default:
		list = append([]Finding{ok("keyring", "keyring", fmt.Sprintf("usable, %d secrets", len(names)))}, list...)
	}
	return list
}

// sources says where a missing program comes from.
var sources = map[string]string{
	"npx": "install Node.js", "node": "install Node.js", "npm": "install Node.js",
	"uvx": "install uv", "uv": "install uv", "python": "install Python", "python3": "install Python", "pip": "install Python",
	"go": "install Go", "cargo": "install Rust", "docker": "install Docker", "bunx": "install Bun", "deno": "install Deno",
}

// commands looks for the program of each stdio server.
func commands(_ context.Context, opt Options) []Finding {
	var list []Finding
	for _, s := range opt.Servers {
		if s.Command == "" || s.Isolated {
			continue
		}
		if path, err := exec.LookPath(s.Command); err != nil {
			fix := sources[strings.TrimSuffix(filepath.Base(s.Command), ".exe")]
			if fix == "" {
				fix = "install it, or give its full path as \"command\""
			}
			list = append(list, Finding{"runtime.missing", Error, s.Name, fmt.Sprintf("its command %q is not on PATH", s.Command), fix})
		} else {
			list = append(list, ok("runtime", s.Name, path))
		}
		if info, err := os.Stat(s.WorkingDir); s.WorkingDir != "" && (err != nil || !info.IsDir()) {
			list = append(list, Finding{"working_dir.missing", Error, s.Name, fmt.Sprintf("its working_dir %s is not a directory", s.WorkingDir), "make it, or change working_dir"})
		}
	}
	return list
}

// containers asks Docker if a server needs it.
func containers(ctx context.Context, opt Options) []Finding {
	var isolated []string
	for _, s := range opt.Servers {
		if s.Isolated {
			isolated = append(isolated, s.Name)
		}
	}
	if len(isolated) == 0 || opt.Docker == nil {
		return nil
	}
	version, err := opt.Docker(ctx)
	if err != nil {
		return []Finding{{"docker.unavailable", Error, "docker", fmt.Sprintf("%v; these servers need it: %s", err, strings.Join(isolated, ", ")), "start Docker; the servers follow by themselves"}}
	}
	return []Finding{ok("docker", "docker", "version "+version)}
}

func model(_ context.Context, opt Options) []Finding {
	if opt.Model == nil {
		return nil
	}
	if err := opt.Model(); err != nil {
		return []Finding{because("model.digest", Error, "model", err, "go back to the bundled one: mcpproxy models use default")}
	}
	return []Finding{ok("model", "model", "its files have the digests of its manifest")}
}

func strays(_ context.Context, opt Options) []Finding {
	if opt.Strays == nil {
		return nil
	}
	list, err := opt.Strays()
	switch {
	case err != nil:
		return []Finding{because("children.unknown", Attention, "processes", err, "")}
	case len(list) > 0:
		return []Finding{{"children.strays", Attention, "processes", "servers of an earlier run still run: " + strings.Join(list, ", "), "the next mcpproxy serve ends them"}}
	}
	return nil
}
