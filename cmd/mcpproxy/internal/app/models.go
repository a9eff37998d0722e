package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"mcpproxy/embed"
	"mcpproxy/internal/client"
	"mcpproxy/models"
)

// bundledAlias names the bundled model, whatever it is called in this version.
const bundledAlias = "default"

func modelRoot(dataDir string) string { return filepath.Join(dataDir, "models") }

// Models returns the bundled model, then a person's own by name, and where none
// is chosen that, as a model without files.
func (a *App) Models(context.Context) ([]client.Model, error) {
	bundled, err := models.Default()
	if err != nil {
		return nil, err
	}
	names, err := models.OwnNames(a.sentence.root)
	if err != nil {
		return nil, err
	}
	chosen, serving := a.inForce.Load().Model, a.index.Status().Model
	first := modelDTO(bundled, nil)
	first.Bundled, first.Chosen, first.InService = true, chosen == "", serving == bundled.Name
	list := []client.Model{first}
	for _, name := range names {
		m, err := models.Own(a.sentence.root, name)
		dto := modelDTO(m, err)
		dto.Name, dto.Chosen, dto.InService = name, chosen == name, serving == name
		list = append(list, dto)
	}
	if chosen == noModel {
		list = append(list, client.Model{Name: noModel, Chosen: true, InService: serving == ""})
	}
	return list, nil
}

func modelDTO(m models.Model, err error) client.Model {
	if err != nil {
		return client.Model{Error: err.Error()}
	}
	return client.Model{Name: m.Name, Dim: m.Dim, Bytes: m.Size(), Digest: m.Digest}
}

// UseModel verifies the model and chooses it in the configuration. A running
// instance goes on with the old vectors until the new ones are made; where none
// is chosen, until its next start.
func (a *App) UseModel(ctx context.Context, name string) (client.Model, error) {
	own, err := ownName(name)
	if err != nil {
		return client.Model{}, err
	}
	var value any
	switch own {
	case "":
	case noModel:
		value = own
	default:
		m, err := models.Own(a.sentence.root, own)
		if err == nil {
			err = m.Verify()
		}
		if err != nil {
			return client.Model{}, modelError(err)
		}
		value = own
	}
	if err := a.mayEdit(); err != nil {
		return client.Model{}, err
	}
	if err := a.file.SetTop("model", value); err != nil {
		return client.Model{}, asClientError(err)
	}
	if err := a.reload(ctx); err != nil {
		return client.Model{}, asClientError(err)
	}
	list, err := a.Models(ctx)
	if err != nil {
		return client.Model{}, err
	}
	for _, m := range list {
		if m.Chosen {
			return m, nil
		}
	}
	return client.Model{}, modelError(fmt.Errorf("%q: %w", name, models.ErrNoModel))
}

// RemoveModel deletes a person's own model that is not in use.
func (a *App) RemoveModel(_ context.Context, name string) error {
	own, err := ownName(name)
	if err != nil {
		return err
	}
	if own == "" {
		return &client.Error{Code: client.CodeInvalid, Message: "the bundled model is part of the program"}
	}
	if st := a.index.Status(); own == a.inForce.Load().Model || own == st.Model || own == st.Next {
		return &client.Error{Code: client.CodeConflict, Message: fmt.Sprintf("model %q is in use", own), Hint: "choose another one first: mcpproxy models use " + bundledAlias}
	}
	if err := models.Remove(a.sentence.root, own); err != nil {
		return modelError(err)
	}
	return nil
}

// ownName returns "" for the names of the bundled model.
func ownName(name string) (string, error) {
	bundled, err := models.Default()
	if err != nil {
		return "", err
	}
	if name == bundledAlias || name == bundled.Name {
		return "", nil
	}
	return name, nil
}

// modelError gives a fault of a model its code and its cure.
func modelError(err error) error {
	e := &client.Error{Code: client.CodeInvalid, Message: err.Error()}
	switch {
	case errors.Is(err, models.ErrNoModel):
		e.Code, e.Hint = client.CodeNotFound, "see which there are: mcpproxy models list"
	case errors.Is(err, models.ErrExists):
		e.Code, e.Hint = client.CodeConflict, "choose another name, or remove it first: mcpproxy models remove NAME"
	case errors.Is(err, models.ErrDigest):
		e.Hint = "its files were changed after it was added; remove it and add it anew"
	case errors.Is(err, models.ErrFiles):
		e.Hint = "the folder needs model.onnx, tokenizer.json and config.json"
	}
	return e
}

// AddModel copies the model in folder from into opt's data directory, once it
// was loaded and its speed was measured. It opens no network connection and
// neither asks nor disturbs a running instance.
func AddModel(ctx context.Context, opt Options, name, from string) (client.AddedModel, error) {
	root, err := modelRootOf(opt)
	if err != nil {
		return client.AddedModel{}, err
	}
	if own, err := ownName(name); err != nil || own == "" {
		return client.AddedModel{}, errors.Join(err, &client.Error{Code: client.CodeInvalid, Message: fmt.Sprintf("%q is the bundled model's name", name), Hint: "choose another name"})
	}
	var speed embed.Speed
	m, err := models.Add(root, name, from, func(dir string) (dim int, err error) {
		if dim, speed, err = embed.Measure(ctx, dir); err != nil && ctx.Err() == nil {
			err = &client.Error{Code: client.CodeInvalid, Message: "the model does not run here: " + err.Error(), Hint: "it must be a sentence model exported to ONNX that takes token ids and gives float32 vectors"}
		}
		return dim, err
	})
	var own *client.Error
	if errors.As(err, &own) || ctx.Err() != nil {
		return client.AddedModel{}, err
	}
	if err != nil {
		return client.AddedModel{}, modelError(err)
	}
	return client.AddedModel{
		Model: modelDTO(m, nil), QueryMS: float64(speed.Query.Microseconds()) / 1000, ToolsPerSecond: speed.Passages,
	}, nil
}

// VerifyModels reads every file of the named model, or of all if name is empty,
// and fills in Error where one is not what its manifest says.
func VerifyModels(opt Options, name string) ([]client.Model, error) {
	root, err := modelRootOf(opt)
	if err != nil {
		return nil, err
	}
	own, err := ownName(name)
	if err != nil {
		return nil, err
	}
	names := []string{own}
	if name == "" {
		all, err := models.OwnNames(root)
		if err != nil {
			return nil, err
		}
		names = append([]string{""}, all...)
	}
	list := make([]client.Model, 0, len(names))
	for _, n := range names {
		m, err := modelOf(root, n)
		if errors.Is(err, models.ErrNoModel) || errors.Is(err, models.ErrName) {
			return nil, modelError(err)
		}
		if err == nil {
			err = m.Verify()
		}
		dto := modelDTO(m, err)
		if dto.Name == "" {
			dto.Name = m.Name
		}
		dto.Bundled = n == ""
		list = append(list, dto)
	}
	return list, nil
}

func modelOf(root, name string) (models.Model, error) {
	if name == "" {
		return models.Default()
	}
	return models.Own(root, name)
}

func modelRootOf(opt Options) (string, error) {
	a := &App{opt: opt}
	if _, err := a.locate(); err != nil && opt.DataDir == "" {
		return "", err
	}
	return modelRoot(a.dir), nil
}
