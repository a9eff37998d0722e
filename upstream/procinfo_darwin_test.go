package upstream

const canReadMarks = false

func isZombie(pid int) bool {
	info, err := processInfo(pid)
	return err == nil && info.Proc.P_stat == zombie
}
