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
DRAWN = "numbers at random are NumPy's: np.random.default_rng(seed), which a layer of your own keeps in an attribute"
OWN_LAYER = "derive nn.layers.Layer: call(inputs) of NumPy's functions, and add_weight in build where there are weights"
OWN_FUNCTION = "write it from NumPy's functions, and give that: Activation(function), or Lambda(function)"
NUMPYS = "NumPy's function of this name is what it is; one that cannot be given Tensors says so, and what to write"
DTYPES = "dtypes are NumPy's here: np.dtype(x), np.result_type(x, y)"
SHOWN = "fit(verbose=0), evaluate(verbose=0) and predict(verbose=0) show nothing"
PLAIN = "what was registered is found by nn.saving.get_registered_object"
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
        "Operation": "a function of NumPy's becomes a layer where it is called on an nn.Input: nn.layers.Operation",
        "distillation": "give the trained model's predictions as targets, or override compute_loss",
        "version": "it is nn.__version__",
    },
    "layers": {
        "RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomCrop "
        "RandomHeight RandomWidth RandomGrayscale RandomHue RandomSaturation RandomSharpness RandomShear RandomErasing "
        "RandomInvert RandomPosterization RandomPerspective RandomGaussianBlur RandomElasticTransform "
        "RandomColorJitter RandomColorDegeneration RandAugment AugMix AutoContrast CutMix MixUp Solarization "
        "Equalization Resizing CenterCrop Pipeline MelSpectrogram STFTSpectrogram MaxNumBoundingBoxes "
        "ContrastLimitedAdaptiveHistogramEqualization": PICTURES,
        "TextVectorization StringLookup": TEXT,
        "CategoryEncoding Discretization Hashing HashedCrossing IntegerLookup FeatureSpace": TABLES,
        "Conv3D Conv3DTranspose MaxPooling3D AveragePooling3D GlobalMaxPooling3D GlobalAveragePooling3D MaxPool3D "
        "AvgPool3D UpSampling3D Cropping3D ZeroPadding3D SpatialDropout3D ConvLSTM1D ConvLSTM2D ConvLSTM3D "
        "AdaptiveAveragePooling3D AdaptiveMaxPooling3D GlobalAvgPool3D GlobalMaxPool3D Convolution3D "
        "Convolution3DTranspose": VOLUMES,
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling1D AdaptiveMaxPooling2D": (
            "choose the pool_size of nn.layers.AveragePooling2D or nn.layers.MaxPooling2D by the shape of the input"
        ),
        "ActivityRegularization": "any layer takes it: nn.layers.Activation('linear', activity_regularizer='l2')",
        "AdditiveAttention": "nn.layers.Attention(score_mode='concat') adds",
        "GroupQueryAttention": "nn.layers.MultiHeadAttention has keys and values of their own for each head",
        "AlphaDropout GaussianDropout": f"nn.layers.Dropout and nn.layers.GaussianNoise show how; {OWN_LAYER}",
        "EinsumDense": f"np.einsum is recorded; {OWN_LAYER}",
        "PReLU": f"nn.layers.LeakyReLU has a slope that does not train; {OWN_LAYER}",
        "RMSNormalization SpectralNormalization UnitNormalization": (
            f"nn.layers.LayerNormalization and nn.layers.GroupNormalization are here; {OWN_LAYER}"
        ),
        "Convolution1D Convolution2D Convolution1DTranspose Convolution2DTranspose SeparableConvolution1D "
        "SeparableConvolution2D": "that is the old name: nn.layers.Conv2D, and likewise the others",
        "ReversibleEmbedding": "inputs @ np.transpose(embedding.embeddings) goes the other way",
        "Wrapper": "derive nn.layers.Layer, and keep the layer in an attribute",
        "CuDNNLSTM CuDNNGRU": "nothing here asks for CUDA by name: LSTM and GRU are the layers",
        "DenseFeatures": TABLES,
        "TFSMLayer TorchModuleWrapper FlaxLayer JaxLayer": "derive nn.layers.Layer, and compute with NumPy's functions",
        "experimental": "what Keras 2 tried there is in nn.layers, or not here",
    },
    "losses": {
        "BinaryFocalCrossentropy CategoricalFocalCrossentropy binary_focal_crossentropy categorical_focal_crossentropy "
        "Dice dice Tversky tversky Circle circle CTC ctc CategoricalGeneralizedCrossEntropy "
        "categorical_generalized_cross_entropy": (
            "write it from NumPy's functions: def loss(y_true, y_pred), and compile(loss=loss)"
        ),
        "Reduction": "reduction is a word here: 'sum_over_batch_size', 'sum' or None",
    },
    "metrics": {
        "SensitivityAtSpecificity SpecificityAtSensitivity PrecisionAtRecall RecallAtPrecision IoU BinaryIoU "
        "MeanIoU OneHotIoU OneHotMeanIoU F1Score FBetaScore PearsonCorrelation ConcordanceCorrelation "
        "binary_focal_crossentropy categorical_focal_crossentropy concordance_correlation pearson_correlation": (
            "derive nn.metrics.Metric: add_variable, update_state and result, or count with nn.metrics.TruePositives"
        ),
    },
    "optimizers": {
        "Adamax Lion Nadam Ftrl Adafactor Lamb Muon ScheduleFreeAdamW": (
            "nn.optimizers.Adam and nn.optimizers.AdamW are used most; an optimizer of your own is one function: "
            "derive nn.optimizers.Optimizer, and define update"
        ),
        "LossScaleOptimizer": MIXED,
        "MultiOptimizer OptimizerMap": (
            "override train_step: each optimizer is given its part by apply(gradients, variables)"
        ),
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
        "pack_x_y_sample_weight": "a tuple is what it gives: (x, y, sample_weight)",
        "Config": "a dict is what it is",
        "bounding_boxes": PICTURES,
        "standardize_dtype": DTYPES,
        "is_keras_tensor": "isinstance(x, nn.KerasTensor) says so",
        "get_source_inputs": "model.inputs are what a model begins with",
        "get_custom_objects": PLAIN,
        "get_registered_name get_registered_object": "nn.saving.get_registered_name and its relatives are there",
        "CustomObjectScope": "nn.utils.custom_object_scope is its name here",
        "Sequence": "that is the old name: nn.utils.PyDataset",
        "clear_session": "nn.backend.clear_session is there",
        "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled": SHOWN,
    },
    "saving": {
        "CustomObjectScope": "nn.utils.custom_object_scope is its name here",
        "KerasFileEditor": "h5py opens the model.weights.h5 in the zip that a .keras file is",
        "get_custom_objects": PLAIN,
    },
    "random": {
        "SeedGenerator beta binomial categorical dropout gamma normal randint shuffle truncated_normal uniform": DRAWN,
    },
    "activations": {
        "celu glu hard_shrink hard_silu hard_swish hard_tanh log_sigmoid mish relu6 soft_shrink sparse_plus "
        "sparse_sigmoid sparsemax squareplus tanh_shrink threshold": OWN_FUNCTION,
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
        "angle argpartition bartlett blackman corrcoef correlate dsplit einsum empty empty_like gcd geomspace hamming "
        "hanning histogram hsplit i0 kaiser lcm ldexp logspace median meshgrid nanargmax nanargmin nancumprod "
        "nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar nextafter "
        "percentile quantile rot90 trapezoid tri unique unravel_index vander vsplit": NUMPYS,
        "eig eigh lstsq matrix_rank pinv cholesky_inverse logdet lu_factor solve_triangular": (
            "np.linalg has it, or what it is made of: eigh, inv, slogdet, solve"
        ),
        "fft fft2 ifft2 rfft irfft stft istft extract_sequences": "signals are taken apart before fit: np.fft",
        "bitwise_invert bitwise_not": "np.invert is what it is",
        "bitwise_left_shift": "np.left_shift is what it is",
        "bitwise_right_shift": "np.right_shift is what it is",
        "dtype saturate_cast view": "x.dtype, x.astype(dtype) and np.clip are what there is",
        "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy": (
            "nn.losses.binary_crossentropy and its relatives take targets first"
        ),
        "celu glu hard_shrink hard_silu hard_swish hard_tanh soft_shrink sparse_plus sparse_sigmoid sparsemax "
        "squareplus tanh_shrink threshold": OWN_FUNCTION,
        "ctc_decode ctc_loss psnr cdist erfinv multi_hot polar view_as_complex view_as_real": (
            "write it from NumPy's functions"
        ),
        "adaptive_average_pool adaptive_max_pool rms_normalization fold unfold depth_to_space space_to_depth "
        "rearrange": f"np.reshape, np.transpose and autograd_core.windows make it; {OWN_LAYER}",
        "segment_min segment_prod": "loop over the segments, and index the array: x[i]",
    },
    "config": {
        "set_epsilon": "the small number is 1e-7 here; losses with from_logits=True, or after a softmax, need none",
        "set_backend": "NumPy computes here, and no other; nn.set_device brings arrays to a GPU",
        "set_dtype_policy dtype_policy": MIXED,
        "enable_traceback_filtering": "tracebacks are shown whole here",
        "enable_unsafe_deserialization": "no code in a file is ever run: custom_objects={name: function}",
        "enable_flash_attention disable_flash_attention is_flash_attention_enabled": (
            "attention is computed in one way here"
        ),
        "is_nnx_enabled": "NumPy computes here, and no other",
        "disable_traceback_filtering is_traceback_filtering_enabled": "tracebacks are shown whole here",
        "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled": SHOWN,
        "max_epochs set_max_epochs max_steps_per_epoch set_max_steps_per_epoch": "fit takes epochs and steps_per_epoch",
    },
    "backend": {
        "square mean sum exp log sqrt abs maximum minimum clip dot transpose concatenate reshape cast ones zeros "
        "ones_like zeros_like stack mean max min argmax round sign pow int_shape expand_dims squeeze flatten "
        "batch_dot one_hot sigmoid softmax relu tanh equal not_equal greater less all any prod std var arange tile "
        "repeat gather permute_dimensions eye": "these functions are NumPy's, and under Keras 3's names in nn.ops",
        "set_session get_session learning_phase set_learning_phase placeholder function gradients variable constant "
        "get_value set_value eval tf": "there are no graphs and sessions here: arrays go in, Tensors come out",
        "set_epsilon": "the small number is 1e-7 here",
        "get_uid": "names are counted by themselves; nn.backend.clear_session begins again",
        "is_float_dtype is_int_dtype result_type standardize_dtype": DTYPES,
        "is_keras_tensor": "isinstance(x, nn.KerasTensor) says so",
    },
    "initializers": {
        "OrthogonalInitializer Identity identity IdentityInitializer STFT STFTInitializer stft": (
            "an initializer of your own is a function of shape and dtype"
        ),
    },
    "regularizers": {"OrthogonalRegularizer orthogonal_regularizer": "derive nn.regularizers.Regularizer"},
    "preprocessing": {
        "image image_dataset_from_directory text_dataset_from_directory timeseries_dataset_from_array": FILES,
    },
}

# The arguments likewise.
ARGUMENTS = {
    "use_cudnn implementation": "nothing here asks for CUDA by name, and there is one way to compute it: leave it out",
    "flash_attention": "attention is computed in one way here: leave it out",
    "lora_rank lora_alpha quantization_config": "weights are neither quantized nor split here: leave it out",
    "synchronized": "processes that share a batch share its statistics here: leave it out",
    "renorm renorm_clipping renorm_momentum": "batch renormalization is not here: GroupNormalization and "
    "LayerNormalization do not depend on the batch",
    "rms_scaling": "Keras 3.15 is about to drop it: write x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6) in "
    "a layer of your own",
    "autocast": MIXED,
    "weights": "call set_weights once it is built",
    "sparse": "a sparse array of SciPy may be given to any model that begins with a Dense layer: leave it out",
    "ragged": "rows of different lengths are filled up: nn.utils.pad_sequences, and Embedding(mask_zero=True)",
    "tensor input_tensor": "call the layers on your array; a model begins with Input(shape=…)",
    "optional": "leave it out, and give a mask or zeros where there is nothing",
    "lr": "that is the old name: write learning_rate",
    "eta": "that is the old name: write learning_rate",
    "decay": "Keras 3 has none either: learning_rate=nn.optimizers.schedules.InverseTimeDecay(rate, 1, decay)",
    "loss_scale_factor": MIXED,
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
