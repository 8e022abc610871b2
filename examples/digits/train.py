"""Trains `net.Digits` on scikit-learn's load_digits (1797 real scans) and keeps a fifth of them for the test.

Writes digits.pt, calibrate.npz (training images), test.npz (held-out images and labels) and float.json (accuracy).
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from net import OUT, Digits
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

EPOCHS = 25
BATCH = 64
LEAST_ACCURACY = 0.97


def shifted(images: torch.Tensor) -> torch.Tensor:
    """Each image moved by up to one pixel: the only augmentation."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    offsets = torch.randint(0, 3, (len(images), 2)).tolist()
    return torch.stack([one[:, y : y + 8, x : x + 8] for one, (y, x) in zip(padded, offsets, strict=True)])


def train(images: torch.Tensor, labels: torch.Tensor) -> Digits:
    net = Digits()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-3)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = nn.functional.cross_entropy(net(shifted(images[chosen])), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def main() -> None:
    torch.set_num_threads(1)  # the same sums on every machine, and no waiting for threads on a busy one
    torch.manual_seed(0)
    data = load_digits()
    images = (data.images / 16.0).astype(np.float32)[:, None]
    x, x_test, y, y_test = train_test_split(images, data.target, test_size=0.2, random_state=0, stratify=data.target)
    net = train(torch.from_numpy(x), torch.from_numpy(y))
    with torch.no_grad():
        accuracy = float((net(torch.from_numpy(x_test)).argmax(1).numpy() == y_test).mean())
    OUT.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), OUT / "digits.pt")
    np.savez(OUT / "calibrate.npz", image=x[:200])
    np.savez(OUT / "test.npz", image=x_test, label=y_test)
    (OUT / "float.json").write_text(json.dumps({"accuracy": accuracy}))
    print(f"float accuracy on {len(y_test)} held-out digits: {accuracy:.1%}")
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"that is less than the {LEAST_ACCURACY:.0%} that this example promises")


if __name__ == "__main__":
    main()
