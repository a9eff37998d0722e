package docker

import (
	"path"
	"slices"
	"strings"
)

// runtimes are commands of one runtime: the image of the first serves the rest
// where they have none of their own.
var runtimes = [][]string{
	{"uvx", "uv"},
	{"python", "python3", "pip", "pip3"},
	{"npx", "npm"},
	{"node"},
	{"go", "gofmt"},
	{"cargo", "rustc"},
}

// engines drive containers themselves and stay on the host.
var engines = []string{"docker", "docker-compose", "podman", "podman-compose", "nerdctl", "finch"}

// Engine reports whether command drives containers itself, so that it cannot run
// in one.
func Engine(command string) bool { return slices.Contains(engines, program(command)) }

// Image returns the image that runs command: of its own name in images, or of
// its runtime. It returns "" if there is none.
func Image(command string, args []string, images map[string]string) string {
	command, _ = unwrap(command, args)
	name := program(command)
	if image := images[name]; image != "" {
		return image
	}
	for _, names := range runtimes {
		if !slices.Contains(names, name) {
			continue
		}
		for _, other := range names {
			if image := images[other]; image != "" {
				return image
			}
		}
	}
	return ""
}

// inside returns the command line in the container. A path of the host means
// nothing there: of a known program its name is looked up in the image, any
// other is the owner's, who chose the image.
func inside(command string, args []string) []string {
	command, args = unwrap(command, args)
	if name := program(command); ours(name) {
		command = name
	}
	return append([]string{command}, args...)
}

// ours reports whether name is a program of one of the runtimes.
func ours(name string) bool {
	return slices.ContainsFunc(runtimes, func(names []string) bool { return slices.Contains(names, name) })
}

// unwrap takes "cmd /c" off, by which Windows starts npx and its like.
func unwrap(command string, args []string) (string, []string) {
	if program(command) == "cmd" && len(args) > 1 && strings.EqualFold(args[0], "/c") {
		return args[1], args[2:]
	}
	return command, args
}

// program is the bare name of a command: without its path, and without the
// extension of a Windows executable.
func program(command string) string {
	name := path.Base(strings.ReplaceAll(command, `\`, "/"))
	lower := strings.ToLower(name)
	for _, ext := range []string{".exe", ".cmd", ".bat"} {
		if bare, ok := strings.CutSuffix(lower, ext); ok {
			return bare
		}
	}
	return name
}
