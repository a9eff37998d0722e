// Package docker runs stdio servers in containers, through the docker command
// of the machine.
//
// A server's container has a read-only root, no capabilities, a user of its own,
// bounded memory, processors and processes, and no path of the host but its
// mounts. What may be written is /tmp, which ends with the container, and the
// server's volume, which holds its home and the caches of package managers.
//
// A container is created first and started then: what the volume needs is
// copied in between, so nothing ever runs as root, and values of the environment
// are known to a process that lives for a moment. Its name is ours and known
// before it exists, so that it can be removed whatever happened to the command
// that started it.
//
// Labels name the instance, the server and the run that a container belongs to.
// Sweep removes the containers of earlier runs of this instance and touches no
// others.
package docker
