"""Weights under PyTorch's names, with PyTorch as the judge: equal predictions in both directions."""

import numpy as np
import pytest

import autograd_core as ag
import nn

L = nn.layers
to_torch, from_torch = nn.utils.to_torch_state_dict, nn.utils.from_torch_state_dict


@pytest.fixture
def torch(judge):
    return judge("torch")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomize(model, seed=0):
    """Weights of which no two are alike, and variances above 0."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [rng.uniform(0.5, 2, w.shape) if "variance" in w.name else rng.normal(0, 0.4, w.shape) for w in model.weights]
    )


def same(torch, model, theirs, x):
    """Both predict the same; PyTorch is given images with the channels first."""
    tx = torch.from_numpy(x)
    if x.ndim == 4:
        tx = tx.permute(0, 3, 1, 2)
    elif any(isinstance(module, torch.nn.Conv1d) for module in theirs.modules()):
        tx = tx.permute(0, 2, 1)
    with torch.no_grad():
        expected = theirs.eval()(tx).numpy()
    np.testing.assert_allclose(model(x, training=False).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 1e-3


def both_ways(torch, model, theirs, x):
    randomize(model)
    state = {name: torch.from_numpy(array) for name, array in to_torch(model).items()}
    theirs.load_state_dict(state)
    same(torch, model, theirs, x)
    before = to_torch(model)
    randomize(model, seed=1)
    from_torch(model, theirs.state_dict())
    same(torch, model, theirs, x)
    for name, array in to_torch(model).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    with torch.no_grad():
        for weight in theirs.parameters():
            weight.copy_(torch.from_numpy(normal(*weight.shape, seed=2)) * 0.4)
    from_torch(model, theirs.state_dict())
    same(torch, model, theirs, x)


def sequential(*layers, shape):
    return nn.Sequential([nn.Input(shape=shape), *layers])


LAYERS = {
    "Dense": ((5,), lambda: [L.Dense(3)], lambda t: [t.Linear(5, 3)]),
    "Dense without a bias": ((5,), lambda: [L.Dense(3, use_bias=False)], lambda t: [t.Linear(5, 3, bias=False)]),
    "Dense on sequences": ((4, 5), lambda: [L.Dense(3)], lambda t: [t.Linear(5, 3)]),
    "Conv1D": ((9, 4), lambda: [L.Conv1D(6, 3, groups=2), L.GlobalMaxPooling1D()],
               lambda t: [t.Conv1d(4, 6, 3, groups=2), t.AdaptiveMaxPool1d(1), t.Flatten()]),
    "Conv1D, causal": ((9, 4), lambda: [L.Conv1D(6, 3, padding="causal"), L.Flatten()],
                       lambda t: [t.Sequential(t.ConstantPad1d((2, 0), 0)), t.Conv1d(4, 6, 3), t.Flatten()]),
    "Conv2D": ((7, 8, 4), lambda: [L.Conv2D(6, (2, 3), padding="same", dilation_rate=2), L.Flatten()],
               lambda t: [t.Conv2d(4, 6, (2, 3), padding="same", dilation=2), t.Flatten()]),
    "Conv2D with strides": ((7, 7, 3), lambda: [L.Conv2D(6, 3, strides=2, padding="same", use_bias=False), L.Flatten()],
                            lambda t: [t.ZeroPad2d(1), t.Conv2d(3, 6, 3, stride=2, bias=False), t.Flatten()]),
    "BatchNormalization": ((5,), lambda: [L.BatchNormalization()], lambda t: [t.BatchNorm1d(5, eps=1e-3)]),
    "BatchNormalization of images": ((4, 3, 5), lambda: [L.BatchNormalization(), L.Flatten()],
                                     lambda t: [t.BatchNorm2d(5, eps=1e-3), t.Flatten()]),
    "BatchNormalization without weights": ((5,), lambda: [L.BatchNormalization(center=False, scale=False)],
                                           lambda t: [t.BatchNorm1d(5, eps=1e-3, affine=False)]),
    "LayerNormalization": ((5,), lambda: [L.LayerNormalization()], lambda t: [t.LayerNorm(5, eps=1e-3)]),
    "LayerNormalization without a shift": ((5,), lambda: [L.LayerNormalization(center=False)],
                                           lambda t: [t.LayerNorm(5, eps=1e-3, bias=False)]),
    "LayerNormalization of images": ((4, 3, 5), lambda: [L.LayerNormalization(axis=[1, 2, 3]), L.Flatten()],
                                     lambda t: [t.LayerNorm((5, 4, 3), eps=1e-3), t.Flatten()]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_with_weights(torch, name):
    shape, ours, theirs = LAYERS[name]
    model, modules = sequential(*ours(), shape=shape), theirs(torch.nn)
    theirs = torch.nn.Sequential(*modules)
    if not any(isinstance(layer, L.Flatten) for layer in model.layers):
        return both_ways(torch, model, theirs, normal(3, *shape))
    # Behind a Flatten alone the two give the same numbers in another order, so a Dense layer compares them.
    size = model.output_shape[1]
    model.add(L.Dense(2))
    both_ways(torch, model, torch.nn.Sequential(*modules, torch.nn.Linear(size, 2)), normal(3, *shape))
    return None


def test_an_embedding(torch):
    model = sequential(L.Embedding(11, 4), L.Flatten(), L.Dense(2), shape=(6,))
    t = torch.nn
    theirs = t.Sequential(t.Embedding(11, 4), t.Flatten(), t.Linear(24, 2))
    index = np.random.default_rng(0).integers(0, 11, (3, 6))
    both_ways(torch, model, theirs, index)


def test_a_multilayer_perceptron(torch):
    model = sequential(
        L.Flatten(), L.Dense(16, "relu"), L.Dropout(0.2), L.Dense(8, "tanh"), L.Dense(3, "softmax"), shape=(6, 5)
    )
    t = torch.nn
    theirs = t.Sequential(
        t.Flatten(), t.Linear(30, 16), t.ReLU(), t.Dropout(0.2), t.Linear(16, 8), t.Tanh(), t.Linear(8, 3), t.Softmax(1)
    )
    both_ways(torch, model, theirs, normal(4, 6, 5))


def test_a_network_for_images(torch):
    """Flatten gives PyTorch's Linear, and what normalizes before it, the same numbers in another order."""
    model = sequential(
        L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D(2), L.Conv2D(6, 3, padding="same"),
        L.LeakyReLU(0.1), L.AveragePooling2D(2), L.Flatten(), L.BatchNormalization(), L.Dropout(0.5),
        L.LayerNormalization(), L.Dense(5, "relu"), L.Dense(2), shape=(12, 10, 3),
    )  # fmt: skip
    t = torch.nn
    theirs = t.Sequential(
        t.Conv2d(3, 4, 3), t.ReLU(), t.BatchNorm2d(4, eps=1e-3), t.MaxPool2d(2), t.Conv2d(4, 6, 3, padding="same"),
        t.LeakyReLU(0.1), t.AvgPool2d(2), t.Flatten(), t.BatchNorm1d(24, eps=1e-3), t.Dropout(0.5),
        t.LayerNorm(24, eps=1e-3), t.Linear(24, 5), t.ReLU(), t.Linear(5, 2),
    )  # fmt: skip
    both_ways(torch, model, theirs, normal(3, 12, 10, 3))


def test_a_dense_layer_on_images(torch):
    model = sequential(L.Rescaling(0.5), L.Flatten(), L.Dense(4), shape=(5, 4, 3))
    theirs = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Flatten(), torch.nn.Linear(60, 4))
    randomize(model)
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch(model).items()})
    x = normal(2, 5, 4, 3)
    np.testing.assert_allclose(
        model(x).numpy(), theirs(torch.from_numpy(x * 0.5).permute(0, 3, 1, 2)).detach().numpy(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("data_format", [None, "channels_first"])
def test_images_with_the_channels_first(torch, data_format):
    """They are as PyTorch's; Flatten can be told to bring the channels to the end all the same."""
    first = {"data_format": "channels_first"}
    model = sequential(
        L.Conv2D(4, 3, **first), L.MaxPooling2D(2, **first), L.Flatten(data_format), L.Dense(2), shape=(3, 8, 7)
    )
    t = torch.nn
    theirs = t.Sequential(t.Conv2d(3, 4, 3), t.MaxPool2d(2), t.Flatten(), t.Linear(24, 2))
    randomize(model)
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch(model).items()})
    x = normal(2, 3, 8, 7)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_model_of_ones_own_is_named_by_its_attributes(torch):
    class Ours(nn.Model):
        def __init__(self):
            super().__init__()
            self.stem = L.Conv2D(4, 3, padding="same")
            self.blocks = [nn.Sequential([L.Conv2D(4, 3, padding="same", activation="relu")]) for _ in range(2)]
            self.head = L.Dense(2)

        def call(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = x + block(x)
            x = np.concatenate([x, ag.relu(x)], axis=-1)
            return self.head(np.reshape(x, (x.shape[0], -1)))  # a Flatten of one's own

    t = torch.nn

    class Theirs(t.Module):
        def __init__(self):
            super().__init__()
            self.stem = t.Conv2d(3, 4, 3, padding="same")
            self.blocks = t.ModuleList(t.Sequential(t.Conv2d(4, 4, 3, padding="same"), t.ReLU()) for _ in range(2))
            self.head = t.Linear(6 * 5 * 8, 2)

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = x + block(x)
            return self.head(torch.cat([x, x.relu()], 1).flatten(1))

    model = Ours()
    x = normal(3, 6, 5, 3)
    model(x)
    assert list(to_torch(model))[2:4] == ["blocks.0.0.weight", "blocks.0.0.bias"]
    both_ways(torch, model, Theirs(), x)


def test_names_of_ones_choice(torch):
    model = sequential(L.Dense(4, "relu"), L.Dense(2), shape=(3,))
    state = to_torch(model, names=["encoder", "head"])
    assert list(state) == ["encoder.weight", "encoder.bias", "head.weight", "head.bias"]
    before = model.get_weights()
    from_torch(model, {name: 2 * array for name, array in state.items()}, names=["encoder", "head"])
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, 2 * b)
    with pytest.raises(
        ValueError, match=r"one name for each of the 2 layers that have weights, all different, for dense"
    ):
        to_torch(model, names=["encoder"])


def test_what_a_module_of_pytorch_is_counts_as_one():
    """The numbers of a torch.nn.Sequential: activations, and what must pad before or flatten after, count too."""
    model = sequential(
        L.Conv2D(2, 3, strides=2, padding="same", activation="relu"),  # 0 pads, 1, 2 is the activation
        L.MaxPooling2D(2, padding="same"),  # 3 pads, 4
        nn.Sequential([L.Conv2D(2, 1, activation="relu"), L.BatchNormalization()]),  # 5
        L.GlobalAveragePooling2D(),  # 6, 7 flattens
        L.Dense(3, "linear"),  # 8
        L.Activation("softmax"),  # 9
        L.Dense(1), shape=(9, 9, 1),  # 10
    )  # fmt: skip
    assert [name for name in to_torch(model) if name.endswith("weight")] == [
        "1.weight", "5.0.weight", "5.2.weight", "8.weight", "10.weight",
    ]  # fmt: skip


def test_safetensors_files(torch, judge, tmp_path):
    save_file = judge("safetensors.torch").save_file
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    model = sequential(L.Dense(3, "relu"), L.Dense(2), shape=(4,))
    from_torch(model, tmp_path / "model.safetensors")
    same(torch, model, theirs, normal(5, 4))
    torch.save(theirs.state_dict(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"is no safetensors file.*pickles, which can run code.*model\.state_dict\(\)"):
        from_torch(model, tmp_path / "model.pt")


def test_what_does_not_fit_is_named_and_nothing_is_changed():
    model = sequential(L.Dense(3, "relu"), L.Dense(2), shape=(4,))
    state = to_torch(model)
    state["1.weight"] = state.pop("2.weight")
    state["fc.bias"] = state.pop("2.bias")
    state["0.weight"] = state["0.weight"].T + 1
    before = model.get_weights()
    with pytest.raises(ValueError, match="do not fit") as error:
        from_torch(model, state)
    assert (
        "missing: 2.bias, 2.weight; unexpected: 1.weight, fc.bias; of another shape: 0.weight has [4, 3] where"
        in str(error.value)
    )
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_batches_that_pytorch_counts_are_not_needed():
    model = sequential(L.BatchNormalization(), shape=(3,))
    state = to_torch(model)
    assert state["0.num_batches_tracked"].shape == ()
    del state["0.num_batches_tracked"]
    from_torch(model, state)


def test_a_scale_that_the_layer_lacks_must_be_one():
    model = sequential(L.BatchNormalization(scale=False), shape=(3,))
    state = to_torch(model)
    np.testing.assert_array_equal(state["0.weight"], np.ones(3))
    from_torch(model, state)
    with pytest.raises(ValueError, match=r"0\.weight holds other numbers than 1.*scale=False"):
        from_torch(model, {**state, "0.weight": np.full(3, 2.0)})


def test_an_order_that_cannot_be_known_is_an_error():
    model = sequential(L.Conv2D(2, 3), L.Lambda(lambda x: np.reshape(x, (-1, 4, 8))), L.Dense(2), shape=(6, 6, 1))
    with pytest.raises(ValueError, match=r"cannot be known in which order PyTorch would give layer 'dense"):
        to_torch(model)


def test_a_model_that_is_not_built_has_no_weights_yet():
    with pytest.raises(ValueError, match=r"not built, so it has no weights yet"):
        to_torch(nn.Sequential([L.Dense(2)]))


def test_arrays_that_were_handed_out_are_copies():
    model = sequential(L.Dense(2), shape=(3,))
    before = model.get_weights()
    for array in to_torch(model).values():
        array[...] = 9
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_asking_for_the_weights_changes_nothing():
    model = sequential(L.Conv1D(2, 3), L.GlobalMaxPooling1D(), L.Dense(1), shape=(None, 4))
    shapes = [layer.output_shape for layer in model.layers]
    to_torch(model)
    assert [layer.output_shape for layer in model.layers] == shapes == [(None, None, 2), (None, 2), (None, 1)]
    assert not any("call" in vars(layer) for layer in model.layers)
    assert all(w.grad is None for w in model.weights)


def test_a_layer_that_two_orders_reach_is_an_error():
    class Twice(nn.Model):
        def __init__(self):
            super().__init__()
            self.convolution, self.dense = L.Conv2D(4, 1), L.Dense(2)

        def call(self, x):
            images = self.convolution(x)
            flat = np.reshape(images, (x.shape[0], -1))
            turned = self.dense(np.reshape(np.transpose(images, (0, 2, 1, 3)), (x.shape[0], -1)))
            return self.dense(flat) + turned

    model = Twice()
    model(normal(2, 3, 4, 2))
    with pytest.raises(ValueError, match=r"layer 'dense.* is called twice|cannot be known in which order"):
        to_torch(model)


def test_a_kind_of_number_that_does_not_fit_is_named_before_anything_is_changed():
    model = sequential(L.Dense(3), shape=(4,))
    state = to_torch(model)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"of another kind of number: 0\.bias is complex64 where float32 is needed"):
        from_torch(model, {"0.weight": state["0.weight"] + 1, "0.bias": state["0.bias"].astype("complex64")})
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_in_a_precision_that_numpy_lacks(torch):
    model = sequential(L.Dense(3), shape=(4,))
    theirs = torch.nn.Linear(4, 3).bfloat16()
    from_torch(model, {f"0.{name}": value for name, value in theirs.state_dict().items()})
    np.testing.assert_array_equal(model.get_weights()[0], theirs.weight.detach().float().numpy().T)


def test_nothing_is_no_state():
    with pytest.raises(TypeError, match=r"state_dict\(\) of a PyTorch model gives, or the path .* got None"):
        from_torch(sequential(L.Dense(3), shape=(4,)), None)


def test_a_reshape_to_one_row_is_a_flatten(torch):
    model = sequential(L.Conv2D(3, 2), L.Reshape((-1,)), L.Dense(2), shape=(4, 5, 2))
    t = torch.nn
    both_ways(torch, model, t.Sequential(t.Conv2d(2, 3, 2), t.Flatten(), t.Linear(36, 2)), normal(3, 4, 5, 2))


def test_a_batch_normalization_of_images_along_another_axis_is_an_error():
    model = sequential(L.BatchNormalization(axis=1), L.Flatten(), L.Dense(2), shape=(3, 4, 2))
    with pytest.raises(ValueError, match=r"normalizes axis 1 of images that have their channels last"):
        to_torch(model)
    first = {"data_format": "channels_first"}
    model = sequential(L.Conv2D(3, 1, **first), L.BatchNormalization(axis=1), L.Flatten(), L.Dense(2), shape=(2, 3, 4))
    assert to_torch(model)["1.weight"].shape == (3,)


def test_what_a_watched_step_shows_is_what_pytorch_computes(torch):
    nn.utils.set_random_seed(2)
    dense, pool = nn.layers.Dense, nn.layers.MaxPooling2D
    layers = [nn.layers.Conv2D(4, 3, name="conv"), pool(), nn.layers.Flatten(), dense(6, "relu", name="hidden")]
    model = nn.Sequential([nn.Input(shape=(8, 8, 2)), *layers, dense(3, name="out")])
    relu, flat = torch.nn.ReLU(), torch.nn.Flatten()
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3), torch.nn.MaxPool2d(2), flat, torch.nn.Linear(36, 6), relu, torch.nn.Linear(6, 3)
    )
    theirs.load_state_dict({k: torch.tensor(v) for k, v in to_torch(model, ["0", "3", "5"]).items()})
    x, y = normal(16, 8, 8, 2), np.arange(16) % 3
    model.compile(nn.optimizers.SGD(0.01, momentum=0.9), nn.losses.SparseCategoricalCrossentropy(from_logits=True))
    watching = nn.watch(model)
    model.fit(x, y, 16, 2, verbose=0, shuffle=False, callbacks=[watching])
    optimizer = torch.optim.SGD(theirs.parameters(), 0.01, momentum=0.9)
    for epoch in range(2):
        optimizer.zero_grad()
        given, outputs = torch.tensor(x.transpose(0, 3, 1, 2)), {}
        for part in theirs:
            given = outputs[part] = part(given)
        torch.nn.functional.cross_entropy(given, torch.tensor(y)).backward()
        before = [[p.detach().clone() for p in part.parameters()] for part in theirs]
        optimizer.step()
        for name, at, out in (("conv", 0, 0), ("hidden", 3, 4), ("out", 5, 5)):
            weights, out = list(theirs[at].parameters()), outputs[theirs[out]]
            gradient = torch.cat([w.grad.ravel() for w in weights])
            moved = torch.cat([(w.detach() - b).ravel() for w, b in zip(weights, before[at], strict=True)])
            size = torch.cat([b.ravel() for b in before[at]]).norm()
            units = out.moveaxis(1, 0).flatten(1)
            expected = {
                "gradients": gradient.abs().mean(),
                "gradient_norms": gradient.norm(),
                "updates": moved.norm() / size,
                "means": out.mean(),
                "spreads": out.std(correction=0),
                "zeros": (out == 0).float().mean(),
                "dead": (units == 0).all(1).float().mean(),
            }
            for statistic, value in expected.items():
                found = getattr(watching, statistic)[name][epoch]
                assert found == pytest.approx(value.item(), rel=2e-4, abs=1e-7), (name, statistic, epoch)
