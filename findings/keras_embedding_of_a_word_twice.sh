#!/usr/bin/env bash
# Keras: with an Embedding, the step of an adaptive optimizer depends on the backend when a word comes twice in a batch.
#
# One would guess: the gradient of an embedding's row is the sum over its places in the batch, and Adam takes its square,
# so that one model with one batch makes the same step on every backend.
# True is: on TensorFlow the gradient comes as one slice for each place, and the square is taken of each: Adam's second
# moment is the sum of the squares, not the square of the sum. With PyTorch below Keras it is the square of the sum.
# SGD is the same on both, and so is Adam while each word comes once.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import keras
import numpy as np

for words in ([0, 1], [0, 0]):
    for rule in (keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.1, epsilon=1.0)):
        head = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(3.0), trainable=False)
        table = keras.layers.Embedding(2, 1, embeddings_initializer="ones")
        model = keras.Sequential([keras.Input((2,)), table, keras.layers.Flatten(), head])
        model.compile(rule, "mse")
        for _ in range(2):
            model.train_on_batch(np.array([words]), np.zeros((1, 1)))
        print(words, type(rule).__name__.removeprefix("Torch"), f"{table.get_weights()[0][0, 0]:.4f}")
PROGRAM
for backend in tensorflow torch; do
    KERAS_BACKEND=$backend TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/program.py" 2>/dev/null > "$folder/$backend"
    echo "Keras 3.15.1 on $backend: words, optimizer, the row of word 0 after two steps"
    cat "$folder/$backend"
done
expected_tensorflow=$'[0, 1] SGD 6.7600\n[0, 1] Adam 0.8858\n[0, 0] SGD 38.4400\n[0, 0] Adam 0.8162'
expected_torch=$'[0, 1] SGD 6.7600\n[0, 1] Adam 0.8858\n[0, 0] SGD 38.4400\n[0, 0] Adam 0.8550'
if [ "$(cat "$folder/tensorflow")" = "$expected_tensorflow" ] && [ "$(cat "$folder/torch")" = "$expected_torch" ]; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
