"""Deploy forms on a CUDA device."""

from __future__ import annotations

import torch

import archgen


def test_a_deploy_form_stays_on_its_device() -> None:
    model = archgen.build(archgen.load("parnet_digits")).cuda().eval()
    deployed = archgen.deploy(model)
    assert {tensor.device.type for tensor in deployed.state_dict().values()} == {"cuda"}
    image = torch.randn(4, 1, 8, 8, device="cuda")
    with torch.no_grad():
        torch.testing.assert_close(deployed(image), model(image), rtol=1e-3, atol=1e-3)
