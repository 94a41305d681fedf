"""The same switch in transformers and diffusers: the unfused path and back, exactly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, WanTransformer3DModel
from diffusers.models import attention_processor
from diffusers.models.attention_processor import (
    AttnProcessor,
    AttnProcessor2_0,
    IPAdapterAttnProcessor,
    IPAdapterAttnProcessor2_0,
)
from torch import nn
from torch.profiler import profile
from transformers import (
    BertConfig,
    BertModel,
    CLIPTextConfig,
    CLIPTextModel,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.modeling_utils import AttentionInterface

from genscope.collect.switch import WrongAttentionError, attention


def unet(**changes: Any) -> Any:
    torch.manual_seed(0)
    kind: dict[str, Any] = {
        "block_out_channels": (32, 32),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
        "sample_size": 8,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**(kind | changes)).eval()


def call_unet(model: Any) -> torch.Tensor:
    x = torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
    with torch.inference_mode():
        out: torch.Tensor = model(x, 1, torch.linspace(-1, 1, 80).reshape(1, 5, 16)).sample
    return out


def llama(**changes: Any) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        **changes,
    )
    return LlamaForCausalLM(config).eval()


def call_llama(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        out: torch.Tensor = model(torch.arange(8)[None]).logits
    return out


def sdpa_calls(call: Any) -> int:
    with profile() as profiler:
        call()
    return sum(e.name == "aten::scaled_dot_product_attention" for e in profiler.events())


# Down and up blocks with one attention layer in each of 1 and 2 places, and the middle: each has
# a self and a cross attention.
UNET_CALLS = 8
LLAMA_CALLS = 2


def test_a_unet_takes_its_unfused_path_and_back() -> None:
    model = unet()
    processors = model.attn_processors
    plain = call_unet(model)
    for given in (model, None):
        with attention("eager", given, strict=True) as ran:
            assert {type(p) for p in model.attn_processors.values()} == {AttnProcessor}
            assert sdpa_calls(lambda: call_unet(model)) == 0
            eager = call_unet(model)
        assert dict(ran.ran) == {"eager": 2 * UNET_CALLS}
        torch.testing.assert_close(eager, plain)
        after = model.attn_processors
        assert all(after[name] is processor for name, processor in processors.items())
        assert "processor" not in next(iter(model.modules()))._modules
    assert not hasattr(AttnProcessor.__call__, "__wrapped__")


def test_a_unet_that_its_owner_set_to_unfused_is_fused_and_back() -> None:
    model = unet()
    mine = AttnProcessor()
    model.set_attn_processor(mine)
    with attention("flash") as unnamed:
        call_unet(model)
    assert dict(unnamed.ran) == {"eager": UNET_CALLS}
    assert "the model is set to AttnProcessor in diffusers" in str(unnamed)
    with attention("flash", model, strict=True) as ran:
        call_unet(model)
    assert dict(ran.ran) == {"flash": UNET_CALLS}
    assert all(p is mine for p in model.attn_processors.values())


def test_processors_with_weights_share_and_keep_them() -> None:
    model = unet()
    for module in model.modules():
        if isinstance(module, attention_processor.Attention):
            module.set_processor(IPAdapterAttnProcessor2_0(32, 16))
            break
    state = {name: value.data_ptr() for name, value in model.state_dict().items()}
    order = [list(module._modules) for module in model.modules()]
    module_processor = module.processor
    with attention("eager", model):
        assert type(module.processor) is IPAdapterAttnProcessor
        inside = {name: value.data_ptr() for name, value in model.state_dict().items()}
        assert inside == state
    assert module.processor is module_processor
    assert [list(module._modules) for module in model.modules()] == order


def test_an_attention_whose_unfused_path_computes_something_else_is_left() -> None:
    module = attention_processor.Attention(16, heads=2, dim_head=8, qk_norm="layer_norm")
    x = torch.randn(1, 4, 16)
    with attention("eager", module) as ran:
        module(x)
    assert dict(ran.ran) == {"math": 1}
    assert "diffusers has no unfused counterpart of AttnProcessor2_0" in str(ran)
    unscaled = attention_processor.Attention(16, heads=2, dim_head=8, scale_qk=False)
    before = unscaled(x)
    with attention("flash", unscaled):
        assert torch.equal(unscaled(x), before)


def test_a_pipeline_is_switched_as_a_whole() -> None:
    class Pipeline:
        def __init__(self) -> None:
            self.components = {"unet": unet(), "vae": AutoencoderKL(block_out_channels=(32,))}
            self.components["scheduler"] = object()  # type: ignore[assignment]

    pipe = Pipeline()
    with attention("eager", pipe):
        for name in ("unet", "vae"):
            kinds = {type(p) for p in pipe.components[name].attn_processors.values()}
            assert kinds == {AttnProcessor}
    assert {type(p) for p in pipe.components["vae"].attn_processors.values()} == {AttnProcessor2_0}


def test_a_model_without_unfused_path_says_so() -> None:
    model = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=16,
        freq_dim=16,
        ffn_dim=32,
        num_layers=1,
    ).eval()
    with (
        torch.inference_mode(),
        pytest.raises(WrongAttentionError, match="no unfused counterpart of WanAttnProcessor"),
        attention("eager", model, strict=True),
    ):
        model(torch.randn(1, 4, 1, 4, 4), torch.tensor([1]), torch.randn(1, 3, 16))


def test_a_backend_of_diffusers_is_led_back_for_this_model_alone() -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName

    model = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=16,
        freq_dim=16,
        ffn_dim=32,
        num_layers=1,
    ).eval()
    processors = list(model.attn_processors.values())
    before = [dict(vars(p)) for p in processors]
    processors[0]._attention_backend = AttentionBackendName.FLEX
    with torch.inference_mode(), attention("flash", model, strict=True) as ran:
        model(torch.randn(1, 4, 1, 4, 4), torch.tensor([1]), torch.randn(1, 3, 16))
    assert ran.as_asked
    assert processors[0]._attention_backend is AttentionBackendName.FLEX
    assert [dict(vars(p)) for p in processors][1:] == before[1:]


@pytest.mark.parametrize("named", [True, False])
def test_transformers_take_their_eager_path_and_back(named: bool) -> None:
    model = llama()
    plain = call_llama(model)
    before = dict(vars(model.config))
    get_interface = AttentionInterface.get_interface
    with attention("eager", model if named else None, strict=True) as ran:
        assert model.config._attn_implementation == "eager"
        assert sdpa_calls(lambda: call_llama(model)) == 0
        eager = call_llama(model)
    assert dict(ran.ran) == {"eager": 2 * LLAMA_CALLS}
    torch.testing.assert_close(eager, plain)
    assert vars(model.config) == before
    assert AttentionInterface.get_interface is get_interface
    assert torch.equal(call_llama(model), plain)


def test_a_transformers_model_set_to_eager_is_fused_only_where_named() -> None:
    model = llama(attn_implementation="eager")
    with attention("flash") as unnamed:
        call_llama(model)
    assert dict(unnamed.ran) == {"eager": LLAMA_CALLS}
    assert "the model is set to eager in transformers" in str(unnamed)
    with attention("flash", model, strict=True) as ran:
        call_llama(model)
    assert ran.ran["flash"] == LLAMA_CALLS
    assert model.config._attn_implementation == "eager"


def test_configurations_within_a_configuration_come_back() -> None:
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig(
        text_config={"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1},
        vision_config={"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1},
    )
    model = CLIPModel(config)
    model.set_attn_implementation({"text_config": "eager"})
    before = [
        vars(c).copy() for c in (model.config, model.config.text_config, model.config.vision_config)
    ]
    with attention("eager", model):
        assert model.config.vision_config._attn_implementation == "eager"
    after = [vars(c) for c in (model.config, model.config.text_config, model.config.vision_config)]
    assert after == before


def test_models_built_within_the_block_are_switched_too() -> None:
    with attention("eager", strict=True) as ran:
        diffusion, text = unet(), llama()
        bert = BertModel(
            BertConfig(
                vocab_size=32,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        calls = sdpa_calls(
            lambda: [call_unet(diffusion), call_llama(text), bert(torch.ones(1, 4).long())]
        )
    assert calls == 0
    assert dict(ran.ran) == {"eager": UNET_CALLS + LLAMA_CALLS + 1}
    assert {type(p) for p in diffusion.attn_processors.values()} == {AttnProcessor2_0}
    assert text.config._attn_implementation == "sdpa"
    with attention("flash", strict=True):
        call_llama(text)


def test_several_models_at_once() -> None:
    diffusion = unet()
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=32,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    ).eval()
    with attention("eager", [diffusion, text], strict=True) as ran:
        call_unet(diffusion)
        text(torch.ones(1, 4).long())
    assert dict(ran.ran) == {"eager": UNET_CALLS + 1}
    assert text.config._attn_implementation == "sdpa"


def test_an_exception_restores_everything() -> None:
    models = nn.ModuleList([unet(), llama()])
    with pytest.raises(ZeroDivisionError), attention("eager", models):
        1 / 0  # noqa: B018
    assert {type(p) for p in models[0].attn_processors.values()} == {AttnProcessor2_0}
    assert models[1].config._attn_implementation == "sdpa"
