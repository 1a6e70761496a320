"""A spec and a study of it so small that a candidate trains in a fraction of a second."""

SPEC = """\
name: small
input: [1, 8, 8]
nodes:
  stem: {block: conv_norm, width: 4, kernel: 3, stride: 2}
  head: {block: pool_linear, classes: 10}
"""
LIMIT = """\
keep:
  params: {max: 170}
"""
STUDY = f"""\
name: tiny
spec: small.yaml
vary:
  stem.width: {{from: 2, to: 9}}
  stem.kernel: {{any: [1, 3]}}
{LIMIT}score: {{top1: maximize}}
train: {{data: digits, epochs: 2, batch: 256, lr: 0.1, seed: 0}}
sampler: {{kind: random, seed: 0}}
trials: 4
"""
