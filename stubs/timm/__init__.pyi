from torch import nn

def create_model(
    model_name: str,
    pretrained: bool = False,
    *,
    num_classes: int = ...,
    in_chans: int = ...,
) -> nn.Module: ...
