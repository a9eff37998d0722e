package tool

import "testing"

func TestPlainURI(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"":                                   "",
		"file:///a":                          "file:///a",
		"FILE:///a":                          "file:///a",
		"http://Me:Pw@Host.Example:80/A?B#C": "http://Me:Pw@host.example:80/A?B#C",
		"http://H%6fST/":                     "http://host/",
		"http://h%c3%a4/":                    "http://h%C3%A4/",
		"file:///%61%2e%2D%7e%5F":            "file:///a.-~_",
		"file:///a%2fb":                      "file:///a%2Fb",
		"file:///a/./b/../c":                 "file:///a/c",
		"file:///a/%2E%2e/%2e/c":             "file:///c",
		"file:///../../c":                    "file:///c",
		"file:///a/b/..":                     "file:///a/",
		"file:///a//b":                       "file:///a//b",
		"file:///a?q=/../%41":                "file:///a?q=/../A",
		"memo:a/../b":                        "memo:b",
		"memo:b":                             "memo:b",
		"file:///my file/é":                  "file:///my%20file/%C3%A9",
		"file:///100%":                       "file:///100%25",
		"file:///%%411":                      "file:///%25A1",
		"file:///%2541":                      "file:///%2541",
	} {
		if got := PlainURI(uri); got != want {
			t.Errorf("PlainURI(%q) = %q, want %q", uri, got, want)
		}
	}
}

func FuzzPlainURI(f *testing.F) {
	for _, uri := range []string{"FILE:///a/../%2e/b?c#d", "http://U@H%41:1/..", "memo:../a//../", "%%411", "a/../b:c", "://", "./A:", "a:/.//B", "./A:./B:"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		once := PlainURI(uri)
		if twice := PlainURI(once); twice != once {
			t.Errorf("PlainURI(%q) = %q, and of that %q", uri, once, twice)
		}
	})
}
