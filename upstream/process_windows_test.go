package upstream

import "os"

var stopSignals = []os.Signal{os.Interrupt}
