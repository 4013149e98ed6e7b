"""torch's EmbeddingBag with sparse gradients and its Adagrad, 256 rows a step."""

import numpy as np
import torch
from common import main

BATCH, RATE = 256, 0.35


def train(X, y, passes):
    """Learn for so many passes, shuffled, on one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.RandomState(0)
    weights = torch.nn.EmbeddingBag(X.shape[1], 1, mode="sum", sparse=True)
    torch.nn.init.zeros_(weights.weight)
    mean = float(y.mean())
    optimizer = torch.optim.Adagrad(weights.parameters(), lr=RATE * y.std())

    def forward(rows):
        part = X[rows]
        entries = torch.from_numpy(part.data)
        return mean + weights(
            torch.from_numpy(part.indices).long(),
            torch.from_numpy(part.indptr[:-1]).long(),
            per_sample_weights=entries,
        ).squeeze(1)

    for _ in range(passes):
        order = rng.permutation(len(y))
        for start in range(0, len(y), BATCH):
            rows = order[start : start + BATCH]
            target = torch.from_numpy(y[rows]).float()
            optimizer.zero_grad()
            loss = 0.5 * torch.nn.functional.mse_loss(forward(rows), target)
            loss.backward()
            optimizer.step()

    def predict(X_test):
        return X_test @ weights.weight.detach().numpy()[:, 0] + mean

    return predict, None


if __name__ == "__main__":
    main(train)
