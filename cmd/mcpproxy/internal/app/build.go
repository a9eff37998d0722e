package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/cmd/mcpproxy/internal/discovery"
	"mcpproxy/cmd/mcpproxy/internal/metrics"
	"mcpproxy/cmd/mcpproxy/internal/proxy"
	"mcpproxy/cmd/mcpproxy/internal/usage"
	"mcpproxy/index"
	"mcpproxy/internal/audit"
	"mcpproxy/internal/config"
	"mcpproxy/internal/logging"
	"mcpproxy/internal/secret"
	"mcpproxy/internal/store"
	"mcpproxy/quarantine"
	"mcpproxy/upstream"
	"mcpproxy/upstream/docker"
	"mcpproxy/upstream/oauth"
)

// App is one built program. Its parts are set once by open and never replaced;
// only the configuration in force changes.
type App struct {
	opt        Options
	dir        string // data directory
	configPath string
	file       *config.File // edits configPath
	started    time.Time
	serving    bool // false: built for one command, nothing started

	logs     *logging.Logs
	log      *zap.Logger
	db       *store.DB
	backups  *store.Keeper
	drifts   drifts
	audit    *audit.Log
	secrets  secret.Store
	redact   logging.Redactor // of what was resolved from secrets
	short    sync.Map         // names of secrets too short for it
	gate     *quarantine.Gate
	index    *index.Index
	sentence *sentence
	children *upstream.Children
	logins   *oauth.Keeper
	docker   *docker.Docker
	// imageMoved is poked when a server must not start on the image it has now.
	imageMoved chan struct{}
	pool       *upstream.Pool
	sync       *discovery.Syncer
	proxy      *proxy.Proxy
	events     *api.Events
	usage      *usage.Usage
	metrics    *metrics.Metrics
	counts     store.Bucket[usage.Saved]
	api        *api.API

	inForce  atomic.Pointer[config.Config] // the last good configuration
	fault    atomic.Pointer[string]        // why the file is not in force; nil if it is
	reloads  sync.Mutex                    // one reload at a time
	applied  atomic.Bool                   // pool and index follow inForce
	endpoint atomic.Pointer[string]        // URL for an IDE; nil before the listener is open
	stop     atomic.Pointer[func()]        // ends a serving instance; nil before it serves
}

// open builds everything on opt's data directory and starts nothing. A file
// that has faults is an error; a missing one is an empty configuration.
func open(opt Options, serving bool) (*App, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	a := &App{opt: opt, started: time.Now(), serving: serving, events: api.NewEvents(), imageMoved: make(chan struct{}, 1)}
	cfg, err := a.locate()
	if err != nil {
		return nil, err
	}
	a.file = config.NewFile(a.configPath)
	a.inForce.Store(cfg)
	if err := a.build(cfg); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// locate finds the configuration file and the data directory: flags win over
// the file, the file over the defaults. Both are set even if it returns the
// file's faults.
func (a *App) locate() (*config.Config, error) {
	a.dir, a.configPath = a.opt.DataDir, a.opt.ConfigPath
	if a.configPath == "" {
		dir := a.dir
		if dir == "" {
			dir = config.DefaultDataDir()
		}
		a.configPath = filepath.Join(dir, config.FileName)
	}
	if abs, err := filepath.Abs(a.configPath); err == nil {
		a.configPath = abs
	}
	cfg, _, err := load(a.configPath)
	switch {
	case a.dir != "":
	case err == nil:
		a.dir = cfg.DataDir
	default:
		a.dir = config.DefaultDataDir()
	}
	if abs, err := filepath.Abs(a.dir); err == nil {
		a.dir = abs
	}
	var faults config.Faults
	if errors.As(err, &faults) {
		err = fmt.Errorf("%w\nhint: mend %s and run this again", err, a.configPath)
	}
	return cfg, err
}

// build makes the parts, lowest floor first.
func (a *App) build(cfg *config.Config) (err error) {
	if a.logs, err = a.openLogs(cfg); err != nil {
		return err
	}
	a.log = a.logs.Logger()
	if a.db, err = a.openStore(); err != nil {
		return err
	}
	if a.audit, err = a.openAudit(cfg); err != nil {
		return err
	}
	if a.gate, err = quarantine.Open(a.db); err != nil {
		return err
	}
	if err := a.keepBackups(); err != nil {
		return err
	}
	a.gate.Follow(a.recordEvent)
	a.metrics = metrics.New(a.opt.Version, a.measured)
	if err := a.openUsage(); err != nil {
		return err
	}
	if a.index, err = a.openIndex(); err != nil {
		return err
	}
	a.sentence = newSentence(modelRoot(a.dir), a.index, a.log.Named("model"), cfg.Model)
	if a.children, err = upstream.OpenChildren(filepath.Join(a.dir, "children")); err != nil {
		return err
	}
	if a.docker, err = a.openDocker(); err != nil {
		return err
	}
	if a.secrets, err = a.openSecrets(cfg); err != nil {
		return err
	}
	if a.logins, err = a.openLogins(a.secrets); err != nil {
		return err
	}
	a.pool = upstream.NewPool(upstream.Options{
		Log: a.log.Named("upstream"), Version: a.opt.Version, Timing: a.opt.timing,
		Dial: upstream.DialEnv{
			Log:      a.log.Named("upstream"),
			Expand:   a.expand,
			Redact:   &a.redact,
			Stderr:   a.logs.Server,
			Children: a.children,
			Login:    a.logins,
			Isolator: a.docker,
		},
		Notify: a.forwardNotification,
	})
	a.proxy = proxy.New(proxy.Options{
		Index: a.index, Gate: a.gate, Pool: a.pool, Servers: a,
		Limits: a.limits, Policy: a.policy, Overview: a.overview, Record: a.recordCall, Relist: a.pool.Relist, Meter: meter{a},
		Log: a.log.Named("mcp"), Version: a.opt.Version,
	})
	a.sync = discovery.New(discovery.Options{Pool: a.pool, Gate: a.gate, Index: a.index, Shelf: a.proxy, Log: a.log.Named("discovery")})
	a.api, err = a.openAPI(cfg)
	return err
}

// Close stops the upstreams, then releases the data directory. It is safe on a
// half-built App.
func (a *App) Close() error {
	var errs []error
	if a.proxy != nil {
		a.endStreams()
	}
	if a.pool != nil {
		errs = append(errs, a.pool.Close())
	}
	if a.logins != nil {
		a.logins.Close()
	}
	if a.index != nil {
		errs = append(errs, a.index.Close())
	}
	if a.sentence != nil {
		errs = append(errs, a.sentence.Close())
	}
	if a.audit != nil {
		errs = append(errs, a.audit.Close())
	}
	if a.backups != nil {
		if err := a.backups.Close(); err != nil {
			a.log.Error("no backup of the approvals", zap.Error(err))
		}
	}
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	if a.logs != nil {
		errs = append(errs, a.logs.Close())
	}
	return errors.Join(errs...)
}
