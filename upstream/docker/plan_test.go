package docker

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mcpproxy/upstream"
)

func newDocker(t testing.TB) *Docker {
	t.Helper()
	d, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func spec(in upstream.Isolation) upstream.Spec {
	return upstream.Spec{Name: "some server", Command: "npx", Args: []string{"-y", "pkg"}, Isolation: &in}
}

func TestPlan_Refuses(t *testing.T) {
	t.Parallel()
	image := func(in upstream.Isolation) upstream.Spec {
		in.Image = "node:20"
		return spec(in)
	}
	extra := func(args ...string) upstream.Spec { return image(upstream.Isolation{ExtraArgs: args}) }
	env := func(name, value string) upstream.Spec {
		s := image(upstream.Isolation{})
		s.Env = map[string]string{name: value}
		return s
	}
	tests := []struct {
		name  string
		spec  upstream.Spec
		fault string
	}{
		{"no image", spec(upstream.Isolation{}), "isolation.image"},
		{"host network", image(upstream.Isolation{Network: "host"}), "network_mode"},
		{"network of another container", image(upstream.Isolation{Network: "container:x"}), "network_mode"},
		{"privileged", extra("--privileged"), "--privileged is refused"},
		{"capability", extra("--cap-add=SYS_ADMIN"), "--cap-add is refused"},
		{"security option", extra("--security-opt", "seccomp=unconfined"), "--security-opt is refused"},
		{"host processes", extra("--pid=host"), "--pid is refused"},
		{"host ipc", extra("--ipc=host"), "--ipc must be none or private"},
		{"device", extra("--device=/dev/mem"), "--device is refused"},
		{"user namespace", extra("--userns=host"), "--userns is refused"},
		{"writable root", extra("--read-only=false"), "--read-only is refused"},
		{"volume", extra("-v", "/var/run/docker.sock:/s"), "use isolation.mounts"},
		{"mount", extra("--mount=type=bind,source=/,target=/h"), "use isolation.mounts"},
		{"network", extra("--network=host"), "use isolation.network_mode"},
		{"environment", extra("-e", "KEY=secret"), "use env"},
		{"root user", extra("--user=0"), "never root"},
		{"root group", extra("--user=1000:0"), "never root"},
		{"user name", extra("--user", "root"), "never root"},
		{"no value", extra("--dns"), "needs a value"},
		{"own label", extra("--label=mcpproxy.instance=x"), "mcpproxy's own"},
		{"tmpfs over home", extra("--tmpfs=/mcpproxy"), "mcpproxy's own"},
		{"tmpfs with devices", extra("--tmpfs=/x:rw,dev"), "suid or dev"},
		{"positional", extra("evil:1"), "evil:1 is refused"},
		{"short group", extra("-itv"), "-itv is refused"},
		{"env name", env("A=B", "x"), `env "A=B"`},
		{"env option", env("--privileged", "x"), "env"},
		{"env lines", env("PATH", "a\nB=c"), `env "PATH"`},
		{"mount without target", image(upstream.Isolation{Mounts: []string{"/srv"}}), "HOST:CONTAINER"},
		{"mount of everything", image(upstream.Isolation{Mounts: []string{"/:/host"}}), "whole machine"},
		{"mount relative", image(upstream.Isolation{Mounts: []string{"x:/x"}}), "absolute path"},
		{"mount missing", image(upstream.Isolation{Mounts: []string{"/no/such:/x"}}), "does not exist"},
		{"mount of keys", image(upstream.Isolation{Mounts: []string{"/etc:/x"}}), "keys, devices or sockets"},
		{"mount above them", image(upstream.Isolation{Mounts: []string{"/var/lib:/x"}}), ""},
		{"mount over /tmp", image(upstream.Isolation{Mounts: []string{"/usr:/tmp/x"}}), "hide"},
		{"mount over the root", image(upstream.Isolation{Mounts: []string{"/usr:/"}}), "hide"},
	}
	d := newDocker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && strings.HasPrefix(tt.name, "mount") {
				t.Skip("paths of Unix")
			}
			_, err := d.plan(tt.spec)
			if !errors.Is(err, upstream.ErrConfig) || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("plan = %v, want ErrConfig with %q", err, tt.fault)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
}

// Without docker a server fails with the cause and may come back: that is no
// fault of its configuration. A faulty one is told so before docker is asked.
func TestCommand_WithoutDocker(t *testing.T) {
	t.Parallel()
	d, err := Open(Options{Dir: t.TempDir(), Command: filepath.Join(t.TempDir(), "docker")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Command(t.Context(), spec(upstream.Isolation{Image: "node:20"}))
	if !errors.Is(err, errAbsent) || errors.Is(err, upstream.ErrConfig) || !strings.Contains(err.Error(), "docker isolation: docker is not installed; hint: ") {
		t.Errorf("Command = %v, want that docker is not installed", err)
	}
	if _, err = d.Command(t.Context(), spec(upstream.Isolation{})); !errors.Is(err, upstream.ErrConfig) {
		t.Errorf("Command of a faulty server = %v, want ErrConfig", err)
	}
	if run, err := d.Command(t.Context(), upstream.Spec{Name: "s", Command: "npx"}); run != nil || err != nil {
		t.Errorf("Command without isolation = %v, %v, want nothing", run, err)
	}
	if err := d.Sweep(t.Context()); err != nil {
		t.Errorf("Sweep = %v, want nothing: there may be no isolated server", err)
	}
	if err := d.Forget(t.Context(), "s"); err != nil {
		t.Errorf("Forget = %v", err)
	}
}

// Whatever stands in extra_args, only options of the list come out, each with its
// value in the same argument.
func FuzzReadExtra(f *testing.F) {
	f.Add("--dns\x001.1.1.1")
	f.Add("--label=a=b\x00--privileged")
	f.Add("--user\x001000\x00-v\x00/:/h")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := readExtra(strings.Split(text, "\x00"))
		for _, arg := range out {
			name, value, joined := strings.Cut(arg, "=")
			opt, ok := options[name]
			if !ok || !joined || opt.check(value) != "" {
				t.Errorf("readExtra(%q) passed %q", text, arg)
			}
		}
		if err != nil && !errors.Is(err, upstream.ErrConfig) {
			t.Errorf("readExtra(%q) = %v, want ErrConfig", text, err)
		}
	})
}

func TestReadMount(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("sockets and symbolic links of Unix")
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, data := filepath.Join(root, "notes, old"), filepath.Join(root, "data")
	for _, dir := range []string{folder, data} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(root, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink("/etc", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	private := []string{data}
	tests := []struct{ text, arg, fault string }{
		{folder + ":/app", `type=bind,"source=` + folder + `",target=/app,readonly`, ""},
		{folder + ":/app:ro", `type=bind,"source=` + folder + `",target=/app,readonly`, ""},
		{folder + ":/app/../srv:rw", `type=bind,"source=` + folder + `",target=/srv`, ""},
		{socket + ":/s", "", "sockets"},
		{root + "/link:/x", "", "keys, devices or sockets"},
		{data + ":/x", "", "what mcpproxy keeps"},
		{root + ":/x", "", "what mcpproxy keeps"},
	}
	for _, tt := range tests {
		m, err := readMount(tt.text, private)
		switch {
		case tt.fault == "" && (err != nil || m.arg() != tt.arg):
			t.Errorf("readMount(%q) = %q, %v, want %q", tt.text, m.arg(), err, tt.arg)
		case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
			t.Errorf("readMount(%q) = %v, want an error with %q", tt.text, err, tt.fault)
		}
	}
}

func TestCreateArgs(t *testing.T) {
	t.Parallel()
	d := newDocker(t)
	s := spec(upstream.Isolation{Image: "node:20", Network: "none", Memory: "64m", CPUs: "0.5", WorkingDir: "/app", ExtraArgs: []string{"--user", "1000"}})
	s.Env = map[string]string{"API_KEY": "canary-value", "LD_PRELOAD": "canary-value", "DOCKER_HOST": "canary-value"}
	p, err := d.plan(s)
	if err != nil {
		t.Fatal(err)
	}
	args := d.createArgs("name", p)
	line := " " + strings.Join(args, " ") + " "
	for _, want := range []string{
		" --rm ", " --init ", " --interactive ", " --cap-drop ALL ", " --security-opt no-new-privileges ", " --read-only ", " --ipc none ",
		" --pids-limit 256 ", " --memory 64m --memory-swap 64m ", " --cpus 0.5 ", " --network none ", " --pull never ", " --workdir /app ",
		" --tmpfs /tmp:rw,exec,nosuid,nodev,size=256m ", " --log-opt max-size=10m ", " --label mcpproxy.instance=" + d.instance + " ", " --label mcpproxy.server=some server ",
		" --env API_KEY ", " --env-file /dev/fd/3 ", " --user=1000 ", " node:20 npx -y pkg ",
	} {
		if !strings.Contains(line, want) {
			t.Errorf("arguments lack %q:\n%s", want, line)
		}
	}
	if strings.Contains(line, "canary") {
		t.Errorf("arguments hold a value:\n%s", line)
	}
	if !slices.Equal(p.env.env, []string{"API_KEY=canary-value"}) {
		t.Errorf("environment of docker = %q: what steers it must not be there", p.env.env)
	}
	files, err := p.env.files()
	if err != nil {
		t.Fatal(err)
	}
	piped, err := io.ReadAll(files[0])
	if err != nil || string(piped) != "DOCKER_HOST=canary-value\nLD_PRELOAD=canary-value\n" {
		t.Errorf("piped = %q, %v", piped, err)
	}
	if p.user != "1000:1000" {
		t.Errorf("user = %q, want the owner's", p.user)
	}
}

func TestLocalResolver(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"nameserver 169.254.169.254\n":                          true,
		"search corp\nnameserver 10.0.0.2\n":                    false,
		"# nameserver 169.254.169.254\nnameserver 127.0.0.53\n": false,
		"": false,
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := localResolver([]string{file, file + ".none"}); got != want {
			t.Errorf("localResolver of %q = %v, want %v", text, got, want)
		}
	}
}

func TestHomeLayout(t *testing.T) {
	t.Parallel()
	data, err := homeLayout(defaultUser)
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(bytes.NewReader(data))
	for n := 0; ; n++ {
		h, err := r.Next()
		if err == io.EOF && n > 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeDir || h.Uid != 65532 || h.Gid != 65532 || h.Mode != 0o700 {
			t.Errorf("%s: type %c, %d:%d, %o", h.Name, h.Typeflag, h.Uid, h.Gid, h.Mode)
		}
	}
}

func TestInstanceID(t *testing.T) {
	t.Parallel()
	one, two := t.TempDir(), t.TempDir()
	first, err := instanceID(one)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := instanceID(one); err != nil || again != first {
		t.Errorf("second id = %q, %v, want %q", again, err, first)
	}
	seed, err := os.ReadFile(filepath.Join(one, "docker-instance"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(two, "docker-instance"), seed, 0o600); err != nil {
		t.Fatal(err)
	}
	if copied, err := instanceID(two); err != nil || copied == first {
		t.Errorf("id of a copy = %q, %v, want another than %q", copied, err, first)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	d := newDocker(t)
	if d.volumeName("a b") == d.volumeName("a-b") {
		t.Error("two servers share a volume")
	}
	for _, server := range []string{"GitHub", "日本 server", "-", "a/b:c"} {
		for _, name := range []string{d.volumeName(server), d.containerName(server)} {
			if strings.ContainsFunc(name, func(r rune) bool { return r > 'z' || r < '-' || r == '/' }) {
				t.Errorf("name of %q = %q", server, name)
			}
		}
	}
}

func TestLastWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ stderr, want string }{
		{"docker: Error response from daemon: no such image.\nSee 'docker run --help'.\n", "no such image."},
		{"WARNING: no swap\nError: No such container: x\n", "No such container: x"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := lastWords(tt.stderr); got != tt.want {
			t.Errorf("lastWords(%q) = %q, want %q", tt.stderr, got, tt.want)
		}
	}
	if err := explainFailure("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", errors.New("1")); !errors.Is(err, errDown) {
		t.Errorf("explainFailure = %v, want errDown", err)
	}
}

func TestPullProgress(t *testing.T) {
	t.Parallel()
	var seen [][2]int
	p := &pullProgress{report: func(done, total int) { seen = append(seen, [2]int{done, total}) }}
	for _, chunk := range []string{"20: Pulling from library/node\naa: Pulling fs la", "yer\nbb: Pulling fs layer\ncc: Already exists\n", "aa: Download complete\naa: Pull complete\nbb: Pull complete\n"} {
		_, _ = p.Write([]byte(chunk))
	}
	if !slices.Equal(seen, [][2]int{{2, 3}, {3, 3}}) {
		t.Errorf("progress = %v, want 2 and 3 of 3", seen)
	}
}

func TestReadMount_DataDirectoryBehindALink(t *testing.T) {
	t.Parallel()
	real := filepath.Join(t.TempDir(), "real")
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Mkdir(real, 0o700), os.Symlink(real, link)); err != nil {
		t.Skip(err)
	}
	for _, source := range []string{real, link} {
		if _, err := readMount(source+":/data", bothForms([]string{link})); err == nil {
			t.Errorf("%s is mounted", source)
		}
	}
}
