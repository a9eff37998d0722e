//go:build !linux

package secret

import "context"

// secretService is for Linux; elsewhere the index alone knows the names.
type secretService struct{}

func dialService(context.Context) (*secretService, error) { return nil, errNoService }

func (*secretService) locked(context.Context) (bool, error)    { return false, errNoService }
func (*secretService) names(context.Context) ([]string, error) { return nil, errNoService }
