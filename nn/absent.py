"""What scripts of Keras ask for and is not here: one sentence for each, which says what to use instead."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from typing import Any

PICTURES = "pictures are changed before fit: with NumPy, Pillow or a layer of your own (nn.layers.Layer)"
TEXT = "texts become numbers before fit: split them, count the words with collections.Counter, nn.utils.pad_sequences"
TABLES = "columns become numbers before fit: with NumPy or pandas; nn.layers.Normalization brings them to one scale"
FILES = "read the files yourself, with Pillow or NumPy, and give fit the arrays"
VOLUMES = "volumes have no layers here: Conv2D over slices, or a layer of your own from NumPy's functions"
PRETRAINED = "no trained models are here; nn.utils.from_torch_state_dict brings weights of PyTorch into a model"
MIXED = 'weights and results have one dtype here: Layer(dtype="float16"), or nn.config.set_floatx'
TAPE = (
    "what is computed here is recorded anyway: loss.backward(), then optimizer.apply([v.grad for v in variables], "
    "variables)"
)
LOOP = "a Python loop or condition is what it is here: write for, while and if, or np.where for each element"
PURE = "a model here holds its weights: loss.backward() and optimizer.apply, or autograd_core.grad of a function"

# From the room to what names there are refused for which reason.
ABSENT: dict[str, dict[str, str]] = {
    "": {
        "GradientTape": f"it is TensorFlow's; {TAPE}",
        "function": "it is TensorFlow's; fit replays what can be replayed, and autograd_core.replay a function",
        "applications": PRETRAINED,
        "mixed_precision dtype_policies DTypePolicy FloatDTypePolicy": MIXED,
        "quantizers Quantizer": "weights are not quantized here",
        "distribution": "several processes share a batch here: nn.distributed",
        "estimator wrappers": "a model's fit and predict are what there is",
        "tree": "the functions for nested structures are in autograd_core.tree",
        "Function": "a function of layers is a model: nn.Model(inputs, outputs)",
        "StatelessScope SymbolicScope": PURE,
        "legacy": "what Keras 2 had and Keras 3 has not is not here either",
        "visualization": "pictures of a model are nn.utils.plot_model and autograd_core.draw",
        "Quantize name_scope remat RematScope": "memory is spared by autograd_core.checkpoint",
        "experimental": "nothing here is an experiment; look in the page Coming from Keras",
    },
    "layers": {
        "RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomCrop "
        "RandomHeight RandomWidth RandomGrayscale RandomHue RandomSaturation RandomSharpness RandomShear RandomErasing "
        "RandomInvert RandomPosterization RandomPerspective RandomGaussianBlur RandomElasticTransform "
        "RandomColorJitter RandomColorDegeneration RandAugment AugMix AutoContrast CutMix MixUp Solarization "
        "Equalization Resizing CenterCrop Pipeline MelSpectrogram": PICTURES,
        "TextVectorization StringLookup": TEXT,
        "CategoryEncoding Discretization Hashing HashedCrossing IntegerLookup FeatureSpace": TABLES,
        "Conv3D Conv3DTranspose MaxPooling3D AveragePooling3D GlobalMaxPooling3D GlobalAveragePooling3D MaxPool3D "
        "AvgPool3D UpSampling3D Cropping3D ZeroPadding3D SpatialDropout3D ConvLSTM1D ConvLSTM2D ConvLSTM3D "
        "AdaptiveAveragePooling3D AdaptiveMaxPooling3D": VOLUMES,
        "CuDNNLSTM CuDNNGRU": "nothing here asks for CUDA by name: LSTM and GRU are the layers",
        "DenseFeatures": TABLES,
        "TFSMLayer TorchModuleWrapper FlaxLayer JaxLayer": "derive nn.layers.Layer, and compute with NumPy's functions",
        "experimental": "what Keras 2 tried there is in nn.layers, or not here",
    },
    "losses": {
        "BinaryFocalCrossentropy CategoricalFocalCrossentropy binary_focal_crossentropy categorical_focal_crossentropy "
        "Dice dice Tversky tversky Circle circle CTC ctc CategoricalGeneralizedCrossEntropy": (
            "write it from NumPy's functions: def loss(y_true, y_pred), and compile(loss=loss)"
        ),
        "Reduction": "reduction is a word here: 'sum_over_batch_size', 'sum' or None",
    },
    "metrics": {
        "SensitivityAtSpecificity SpecificityAtSensitivity PrecisionAtRecall RecallAtPrecision IoU BinaryIoU "
        "MeanIoU OneHotIoU OneHotMeanIoU F1Score FBetaScore PearsonCorrelation ConcordanceCorrelation": (
            "derive nn.metrics.Metric: add_variable, update_state and result, or count with nn.metrics.TruePositives"
        ),
    },
    "optimizers": {
        "Ftrl Adafactor Lamb Muon ScheduleFreeAdamW": (
            "an optimizer of your own is one function: derive nn.optimizers.Optimizer, and define update"
        ),
        "LossScaleOptimizer": MIXED,
        "legacy": "they are those of nn.optimizers: lr= is learning_rate=, decay= is schedules.InverseTimeDecay",
    },
    "callbacks": {
        "RemoteMonitor": "derive nn.callbacks.Callback, and send what on_epoch_end is told",
        "SwapEMAWeights": "optimizer.finalize_variable_values gives the weights their averages, as fit does at its end",
        "OrbaxCheckpoint": "nn.callbacks.ModelCheckpoint writes files of Keras",
        "ProgbarLogger": "fit(verbose=1) shows the progress",
    },
    "utils": {
        "image_dataset_from_directory audio_dataset_from_directory text_dataset_from_directory "
        "timeseries_dataset_from_array": FILES,
        "load_img save_img img_to_array array_to_img": "Pillow does it: np.asarray(PIL.Image.open(path))",
        "FeatureSpace": TABLES,
        "multi_gpu_model": "several processes share a batch here: nn.distributed",
        "GeneratorEnqueuer OrderedEnqueuer SequenceEnqueuer": "fit takes any iterable of batches, a generator too",
        "model_to_dot": "nn.utils.plot_model(model, to_file=None) returns the drawing",
        "legacy": "what Keras 2 had and Keras 3 has not is not here either",
    },
    "ops": {
        "cond fori_loop while_loop scan associative_scan switch map vectorized_map vectorize": LOOP,
        "image": PICTURES,
        "custom_gradient": "a rule of your own belongs to an op of your own: docs/howto/write_an_op.md",
        "jvp": "autograd_core.jvp does it",
        "conv conv_transpose depthwise_conv separable_conv max_pool average_pool batch_normalization "
        "layer_normalization dot_product_attention": "use the layer of that name in nn.layers",
        "scatter scatter_update slice_update slice segment_sum segment_max in_top_k": (
            "index the array: x[i] reads, and np.where or a matrix of ones and zeros writes, so that gradients flow"
        ),
        "numpy nn linalg": "all functions of keras.ops stand in nn.ops itself",
    },
    "config": {
        "set_epsilon": "the small number is 1e-7 here; losses with from_logits=True, or after a softmax, need none",
        "set_backend": "NumPy computes here, and no other; nn.set_device brings arrays to a GPU",
        "set_dtype_policy dtype_policy": MIXED,
        "enable_traceback_filtering": "tracebacks are shown whole here",
        "enable_unsafe_deserialization": "no code in a file is ever run: custom_objects={name: function}",
        "enable_flash_attention disable_flash_attention": "attention is computed in one way here",
    },
    "backend": {
        "square mean sum exp log sqrt abs maximum minimum clip dot transpose concatenate reshape cast ones zeros "
        "ones_like zeros_like stack mean max min argmax round sign pow int_shape expand_dims squeeze flatten "
        "batch_dot one_hot sigmoid softmax relu tanh equal not_equal greater less all any prod std var arange tile "
        "repeat gather permute_dimensions eye": "these functions are NumPy's, and under Keras 3's names in nn.ops",
        "set_session get_session learning_phase set_learning_phase placeholder function gradients variable constant "
        "get_value set_value eval tf": "there are no graphs and sessions here: arrays go in, Tensors come out",
        "set_epsilon": "the small number is 1e-7 here",
    },
    "initializers": {
        "OrthogonalInitializer Identity identity STFT": ("an initializer of your own is a function of shape and dtype"),
    },
    "regularizers": {"OrthogonalRegularizer": "derive nn.regularizers.Regularizer"},
}

# The arguments likewise.
ARGUMENTS = {
    "use_cudnn implementation": "nothing here asks for CUDA by name, and there is one way to compute it: leave it out",
    "flash_attention": "attention is computed in one way here: leave it out",
    "sliding_window use_gate": "hand call an attention_mask, or derive nn.layers.MultiHeadAttention",
    "lora_rank lora_alpha quantization_config": "weights are neither quantized nor split here: leave it out",
    "synchronized": "processes that share a batch share its statistics here: leave it out",
    "renorm renorm_clipping renorm_momentum": "batch renormalization is not here: GroupNormalization and "
    "LayerNormalization do not depend on the batch",
    "rms_scaling": "Keras 3.15 has none either: write x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6) in a "
    "layer of your own",
    "autocast": MIXED,
    "sparse": "a sparse array of SciPy may be given to any model that begins with a Dense layer: leave it out",
    "ragged": "rows of different lengths are filled up: nn.utils.pad_sequences, and Embedding(mask_zero=True)",
    "tensor input_tensor": "call the layers on your array; a model begins with Input(shape=…)",
    "optional": "leave it out, and give a mask or zeros where there is nothing",
    "lr": "that is the old name: write learning_rate",
    "eta": "that is the old name: write learning_rate",
    "decay": "Keras 3 has none either: learning_rate=nn.optimizers.schedules.InverseTimeDecay(rate, 1, decay)",
    "loss_scale_factor": MIXED,
    "input_length": "Keras 3 has none either: leave it out",
}


def getattr_of(room: str, above: int = 1) -> Callable[[str], Any]:
    """What a module says of names that it has not; who asks for one is so many calls above.

    ``from nn.layers import X`` would hide an AttributeError behind a sentence of its own, so it gets an ImportError.

    >>> getattr_of("layers")("RandomFlip")
    Traceback (most recent call last):
    AttributeError: module 'nn.layers' has no attribute 'RandomFlip': pictures are changed before fit: ...
    """

    def absent(name: str) -> Any:
        module = f"nn.{room}" if room else "nn"
        text = f"module {module!r} has no attribute {name!r}"
        sentence = next((why for names, why in ABSENT.get(room, {}).items() if name in names.split()), None)
        if sentence is None:
            raise AttributeError(text)
        frame = sys._getframe(above)
        if frame.f_lasti >= 0 and dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM":
            raise ImportError(f"cannot import {name!r} from {module!r}: {sentence}", name=module)
        raise AttributeError(f"{text}: {sentence}")

    return absent
