# ruff: noqa: E501 (kernel names are as long as they are)
"""What each kernel name stands for: the table is the specification of the kernels' categories."""

from __future__ import annotations

import pytest

from genscope.analysis.categories import (
    match_kernel,
)
from genscope.trace.model import Kind
from tests.analysis.shown import shown

KERNELS = {
    "Attention": """
void pytorch_flash::flash_fwd_kernel<pytorch_flash::Flash_fwd_kernel_traits<64, 128, 128, 4, false, false, cutlass::bfloat16_t> >(pytorch_flash::Flash_fwd_params)
void flash_fwd_splitkv_combine_kernel<Flash_fwd_kernel_traits<128, 64, 128, 4, false, false, cutlass::half_t>, 4, 1, true>(Flash_fwd_params)
void flash_bwd_dq_dk_dv_loop_seqk_parallel_kernel<Flash_bwd_kernel_traits<64, 128, 128, 8, 4, 4, 4, false, false, cutlass::bfloat16_t> >(Flash_bwd_params)
void flash_bwd_convert_dq_kernel<Flash_bwd_kernel_traits<64, 128> >(Flash_bwd_params, int)
void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<flash::CollectiveMainloopFwdSm90<2, cute::tuple<cute::C<1> > > > > >(flash::FlashAttnFwdSm90::Params)
void flash::prepare_varlen_num_blocks_kernel<1>(int, int, int)
kernel_cutlass_kernel_flash_attncuteflash_fwd_sm100FlashAttentionForwardSm100_object_at__tensor000o
fmha_cutlassF_bf16_aligned_64x128_rf_sm80(PyTorchMemEffAttention::AttentionKernel<cutlass::bfloat16_t, cutlass::arch::Sm80, true, 64, 128, 128, true, true>::Params)
fmhaSm100fKernel_QkvBfloat16OBfloat16H128PagedKvCausalP16VarSeqQ128Kv128PersistentContext
void cutlass::device_kernel<cutlass::fmha::kernel::Sm100FmhaFwdKernelTmaWarpspecialized<int> >(int)
cudnn_generated_fort_native_sdpa_sm80_flash_fprop_wmma_f16_knob_3_64x64x64_4x1x1_kernel0_0
cudnn_generated_fort_native_sdpa_sm90_flash_bprop_wgmma_f16_knob_6_128x128x64_kernel0_0
_ZN7ck_tile6kentryILi2ENS_38FmhaBatchPrefillWithPagedKVCacheKernelINS_40BlockFmhaBatchPrefillPipelineQRKSVSAsyncINS_36BlockFmhaBatchPrefillPipelineProblemIDF16bDF16b
attn_fwd
_attn_fwd
_attn_bwd_dkdv
_fwd_kernel
_fwd_kernel_aligned_0d1d2d3d45d6de7de8c9de10de11c12de13de14c15de16de17c18de19de20c21de22de23de
_fwd_grouped_kernel_stage1
_fwd_kernel_stage2
kernel_unified_attention_2d
kernel_unified_attention_3d
reduce_segments
void vllm::paged_attention_v2_kernel<__nv_bfloat16, __nv_bfloat16, 128, 16, 128, (vllm::Fp8KVCacheDataType)0, false, 512>(float*, float*)
void paged_attention_ll4mi_QKV_mfma16_kernel<__hip_bfloat16, __hip_bfloat16>(int)
_ZN5aiter21fmha_fwd_hd128_bf16_causalE
aiter::pa_bf16_noquant_gqa8_1tg_4w
aiter::mla_a16w16_qh16_m16x4_n16x1_coex0_mask1
void flash::flash_fwd_splitkv_mla_kernel<flash::Flash_fwd_kernel_traits_mla<576, 64, 64, 8> >(flash::Flash_fwd_mla_params)
sm90::flash_fwd_splitkv_mla_kernel
_ZN10flashinfer33BatchDecodeWithPagedKVCacheKernelILNS_15PosEncodingModeE0ELj2ELj4ELj8ELj8ELj1ELj16ENS_16DefaultAttentionILb0EEE6ParamsEEvT7_
void flashinfer::BatchPrefillWithRaggedKVCacheKernel<flashinfer::KernelTraits<(flashinfer::MaskMode)1> >(int)
void flashinfer::PersistentVariableLengthMergeStatesKernel<8u, 16u, 8u, 4u, __nv_bfloat16>(float*)
void vllm::merge_attn_states_kernel<__nv_bfloat16, 128u>(__nv_bfloat16*, float*)
void qk_int_sv_f8_attn_kernel<128u, 64u, 32u, 64u, 128u, (DataType)1>(signed char*, signed char*)
triton_tem_fused_flex_attention_2
triton_tem_fused__to_copy_flex_attention_backward_view_7
void tensorrt_llm::kernels::mmha::masked_multihead_attention_kernel<unsigned short, 128>(int)
_ZN2ck16tensor_operation6device44_GLOBAL__N_kernel_batched_gemm_softmax_gemm_xdl_cshuffle_v1INS_3XdlE
void deep_gemm::sm90_fp8_mqa_logits<128u, 4u>(int)
""",
    "Convolution": """
volta_scudnn_128x64_relu_interior_nn_v1
cudnn_infer_volta_scudnn_winograd_128x128_ldg1_ldg4_relu_tile148t_nt_v1
sm80_xmma_fprop_implicit_gemm_bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x128x64_stage3_warpsize2x2x1_g1_tensor16x8x16_kernel
sm80_xmma_dgrad_implicit_gemm_bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x32x32_stage4_warpsize4x1x1_g1_tensor16x8x16_execute_kernel_cudnn_infer
sm90_xmma_wgrad_implicit_gemm_indexed_bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x128x64_cudnn
void cutlass__5x_cudnn::Kernel<cutlass_tensorop_bf16_s16816fprop_optimized_bf16_256x64_32x4_nhwc_align8>(cutlass_tensorop_bf16_s16816fprop_optimized_bf16_256x64_32x4_nhwc_align8::Params)
void cutlass::Kernel<cutlass::conv::kernel::ImplicitGemmConvolution<cutlass::conv::threadblock::ImplicitGemmMultistage<int> > >(int)
void implicit_convolve_sgemm<float, float, 1024, 6, 7, 3, 3, 5, 1, false, true, true>(int, int, int, float const*, int, float*)
void precomputed_convolve_sgemm<float, 512, 6, 8, 3, 3, 5, 1, false>(int, int, int, float const*)
void cudnn::cnn::wgrad_alg0_engine<float, 128, 6, 7, 3, 3, 5, false, 512>(int, int, int, float const*)
void cudnn::winograd_nonfused::winogradForwardOutput4x4<float, float>(cudnn::winograd_nonfused::WinogradOutputParams<float, float>)
cask_cudnn::computeOffsetsKernel(cask_cudnn::ComputeOffsetsParams)
igemm_fwd_gtcx3_nhwc_bf16_bx0_ex1_bt128x256x32_wt32x32x8_ws1x1_wr2x2
miopenSp3AsmConv_v30_3_1_gfx9_fp16_dot2_stride1
_ZN2ck16tensor_operation6device12_GLOBAL__N_139kernel_grouped_conv_fwd_xdl_cshuffle_v3INS_34GridwiseGemmMultiD_xdl_cshuffle_v3INS_13tensor_layout4gemm8RowMajorE
Im2d2Col_v2
void at::native::im2col_kernel<c10::Half>(long, c10::Half const*, long)
void at::native::(anonymous namespace)::conv_depthwise2d_forward_kernel<3, c10::Half, int>(at::GenericPackedTensorAccessor<c10::Half const, 4ul>)
triton_tem_fused_convolution_4
void causal_conv1d_fwd_kernel<Causal_conv1d_fwd_kernel_traits<128, 4, true, c10::BFloat16, c10::BFloat16> >(ConvParamsBase)
void fft2d_r2c_32x32<float, false, 0u, false>(float2*, float const*)
""",
    "Linear": """
ampere_sgemm_128x64_tn
ampere_fp16_s16816gemm_fp16_128x128_ldg8_f2f_stages_32x5_tn
sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64_warpgroupsize1x1x1_execute_segment_k_off_kernel__5x_cublas
void cutlass::Kernel2<cutlass_80_tensorop_f16_s16816gemm_relu_f16_128x128_32x5_tn_align8>(cutlass_80_tensorop_f16_s16816gemm_relu_f16_128x128_32x5_tn_align8::Params)
cutlass3x_sm100_tensorop_s128x256x16gemm_bf16_bf16_f32_void_bf16_128x256x64_0x0x1_tnn_align8_2sm_bias_bf16_relu
nvjet_tst_128x256_64x4_2x1_v_bz_coopA_TNN
nvjet_sm100_tst_64x32_64x16_2x1_2cta_h_bz_splitK_TNT
void gemv2T_kernel_val<int, int, float, float, float, float, 128, 16, 4, 4, false, false, cublasGemvParamsEx<int> >(cublasGemvParamsEx<int>)
std::enable_if<!(false), void>::type internal::gemvx::kernel<int, int, __nv_bfloat16, __nv_bfloat16, __nv_bfloat16, float, false, true, true, false, 7, false>(int)
void gemmSN_TN_kernel<float, 128, 16, 2, 4, 4, 4, true, cublasGemvTensorStridedBatched<float const> >(cublasGemmSmallNParams)
void splitKreduce_kernel<32, 16, int, __nv_bfloat16, __nv_bfloat16, float, __nv_bfloat16, true, true, false>(cublasSplitKParams<float>)
Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_MT320x224x64_MI16x16x1_SN_LDSB0_AFC1_AFEM1_AFEM1_ASEM1_CLR1_CADS0
Custom_Cijk_Alik_Bljk_F8BS_BH_Bias_AS_SAB_SCAB_SCD_SAV_UserArgs_shortname0_gfx942
triton_tem_fused_addmm_relu_3
triton_tem_fused__int_mm_0
triton_mm_42
fused_moe_kernel
_ZN5aiter52fmoe_bf16_pertokenFp8_g1u1_vs_silu_1tg_32x256E
bmm_Bfloat16_E2m1E2m1_Fp32_bA16_bB16_bC16_t128x16x512_s4_et128x16_m128x16x64_c1x1x1_16dp256b_TN_transOut_schPd3x1x2x3_bN_dynB_sm100f
void cutlass::device_kernel<cutlass::gemm::kernel::GemmUniversal<cute::tuple<int, int, int, int>, cutlass::gemm::collective::CollectiveMma<int> > >(int)
_matmul_ogs_NNT_bf16xbf16xmxfp4_16x128x256x1_swiglu
void deep_gemm::sm90_fp8_gemm_1d2d_impl<0u, 4096u, 7168u, 1u, 128u, 128u, 128u>(float*)
_w8a8_block_fp8_matmul
void marlin::Marlin<__nv_bfloat16, 1125899906842624l, 256, 1, 8, 8, 4, false, 4>(int4 const*)
void vllm::awq::gemm_forward_4bit_cuda_m16nXk32<128>(int)
void gptq_marlin::Marlin<__half, 4, 256, 4, 16, 4, 4, false, false, 8>(int4 const*)
void kgemm_4bit_inference_naive<__nv_bfloat16, 128, 16>(int, int, int, __nv_bfloat16*)
void at::native::tinygemm_m16n8k16_chunk_kernel<at::native::ALayout_RM<(at::native::KReductionType)0> >(void const*)
void wvSplitK_hf_sml_<__hip_bfloat16, 64, 2, 16, 8, 2, 4>(int)
mul_mat_vec_q
_bgmv_shrink_kernel
_lora_expand_kernel
ck::kernel_moe_gemm<ck::GridwiseMoeGemm<int> >
void dot_kernel<float, 128, 0, cublasDotParams<cublasGemvTensor<float const>, cublasGemvTensorStridedBatched<float> > >(int)
void dsv3_router_gemm_kernel<__nv_bfloat16, float, 128, 8, 4, 256, 7168>(float*)
RNN_blockPersist_fp_LSTM_HMMA
""",
    "Normalization": """
void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<c10::BFloat16, float>(int, float, c10::BFloat16 const*)
void at::native::(anonymous namespace)::layer_norm_grad_input_kernel_vectorized<c10::BFloat16, float>(c10::BFloat16 const*)
void at::native::(anonymous namespace)::GammaBetaBackwardCUDAKernelTemplate<c10::BFloat16, float, 64u, 1u>(long)
void at::native::batch_norm_transform_input_kernel<float, float, float, false, int>(at::GenericPackedTensorAccessor<float const>)
void cuApplyLayerNorm<c10::Half, float, c10::Half>(c10::Half*, float*, float*, c10::Half const*, int, int, float)
void cudnn::bn_fw_tr_1C11_kernel_NCHW<float, float, int, 512, true, 1, true>(cudnnTensorStruct, float const*)
void cudnn::bn_bw_1C11_kernel_new<float, float, float2, 512, true, 1>(float, float, float, float)
MIOpenBatchNormFwdTrainSpatialNorm
void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(c10::BFloat16*, long)
void flashinfer::norm::FusedAddRMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*)
_ZN5aiter24add_rmsnorm_quant_kernelIDF16bDF16bLi64ELi8ELb0ELb0ELb1ELi1EEEvPT0_PT_PfS4_S4_S4_diiiiiiib
_ZN7ck_tile6kentryILi1ENS_12Rmsnorm2dFwdINS_27Rmsnorm2dFwdPipelineOnePassINS_27Rmsnorm2dFwdPipelineProblemI
_layer_norm_fwd_1pass_kernel
_rms_norm_forward_kernel
void transformer_engine::normalization::ln_fwd_tuned_kernel<int>(int)
triton_red_fused_add_addmm_mul_native_layer_norm_split_unsqueeze_view_16
triton_per_fused__to_copy_add_addmm_mean_mul_pow_rsqrt_transpose_view_8
triton_red_fused__to_copy_add_embedding_mean_mul_pow_rsqrt_0
triton_per_fused_add_native_layer_norm_native_layer_norm_backward_3_0d1d2d3d4d5d6d7de
void fused_qk_norm_rope_kernel<128, true>(void*, int)
void flashinfer::norm::GemmaRMSNormKernel<8u, __nv_bfloat16>(int)
void transformer_engine::normalization::rmsnorm_fwd_tuned_kernel<int>(int)
""",
    "Normalization/GroupNorm": """
void at::native::(anonymous namespace)::RowwiseMomentsCUDAKernel<float>(long, float, float const*, float*, float*)
void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::(anonymous namespace)::GroupNormKernelImplInternal<float>(at::Tensor const&)::{lambda(float, float, float)#1}> >(int)
void at::native::(anonymous namespace)::ComputeFusedParamsCUDAKernel<float>(long, long, long)
void (anonymous namespace)::groupnorm_kernel_dispatch_down<__hip_bfloat16, 1024u>(unsigned int, unsigned int, long)
triton_red_fused_native_group_norm_silu_0
""",
    "Softmax": """
void (anonymous namespace)::scaled_upper_triang_masked_softmax_warp_forward<c10::Half, c10::Half, float, 11>(c10::Half*, c10::Half const*, float, int, int, int)
attn_softmax_v2<__half, 32>(int)
void at::native::(anonymous namespace)::cunn_SoftMaxForward<8, c10::BFloat16, float, c10::BFloat16, at::native::(anonymous namespace)::SoftMaxForwardEpilogue>(c10::BFloat16*, c10::BFloat16 const*, int)
void (anonymous namespace)::softmax_warp_forward<float, float, float, 8, false, false>(float*, float const*, int, int, int)
void cudnn::softmax_fw_kernel<2, float, float, 256, 1, 0, 1>(cudnnTensorStruct, float const*)
void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::(anonymous namespace)::SoftmaxSumOps<float> > >(int)
triton_per_fused__softmax_add_div_1
triton_red_fused__log_softmax_nll_loss_forward_2
liger_cross_entropy_kernel
""",
    "Embedding": """
void at::native::(anonymous namespace)::embedding_backward_feature_kernel<float, float, long>(long const*)
void at::native::(anonymous namespace)::EmbeddingBag_updateOutputKernel_sum_mean<float, long>(long const*)
void split_embedding_codegen_forward_unweighted_kernel<float, float, float, long, 128>(int)
triton_poi_fused_add_embedding_1
triton_poi_fused_embedding_dense_backward_5
""",
    "Communication": """
ncclDevKernel_AllReduce_Sum_f16_RING_LL(ncclDevComm*, unsigned long, ncclWork*)
ncclKernel_AllGather_RING_LL_Sum_int8_t(ncclWorkElem)
ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)
ncclSymkDevKernel_AllReduce_RSxLDMC_AGxSTMC_sum_bf16(ncclSymkDevWorkArgs)
void vllm::cross_device_reduce_1stage<__nv_bfloat16, 8>(vllm::RankData*)
void aiter::cross_device_reduce_2stage<__hip_bfloat16, 8>(int)
void flashinfer::trtllm_allreduce_fusion::allreduce_fusion_kernel_oneshot_lamport<int>(int)
multimem_one_shot_all_reduce_kernel
two_shot_all_reduce_kernel
void mscclpp::allreduce7<__half>(int)
void deep_ep::internode_ll::dispatch<false, true, false, 7168>(void*)
void deep_ep::intranode::combine<__nv_bfloat16, 8, 768>(__nv_bfloat16*)
nvshmemi_transfer_rma
""",
    "Optimizer": """
void at::native::(anonymous namespace)::multi_tensor_apply_kernel<at::native::(anonymous namespace)::FusedOptimizerTensorListMetadata<4>, at::native::(anonymous namespace)::FusedAdamMathFunctor<float, 4, (at::native::(anonymous namespace)::ADAM_MODE)1, false> >(int)
void multi_tensor_apply_kernel<TensorListMetadata<4>, AdamFunctor<float, float, int>, float, float>(long, int volatile*)
void kOptimizerStatic8bit2StateBlockwise<float, 0, 256, 1>(float*)
void multi_tensor_apply_kernel<TensorListMetadata<5>, LAMBStage1Functor<float> >(int)
""",
    "Memory": """
Memcpy HtoD (Pageable -> Device)
Memset (Device)
__amd_rocclr_copyBuffer
__amd_rocclr_fillBufferAligned
void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3}::operator()() const::{lambda()#12}::operator()() const::{lambda(c10::BFloat16)#1}> >(int)
void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>, std::array<char*, 1ul> >(int, at::native::FillFunctor<float>)
void at::native::(anonymous namespace)::CatArrayBatchedCopy<at::native::(anonymous namespace)::OpaqueType<2u>, unsigned int, 4, 64, 64>(int)
void at::native::index_elementwise_kernel<128, 4, at::native::gpu_index_kernel<at::native::index_kernel_impl<at::native::OpaqueType<8> >(at::TensorIteratorBase&)> >(int)
void at::native::vectorized_gather_kernel<16, long>(char*, char*, long*, int, long, long, long, long, bool)
void at::native::(anonymous namespace)::indexSelectLargeIndex<c10::BFloat16, long, unsigned int, 2, 2, -2, true>(int)
void at::native::_scatter_gather_elementwise_kernel<128, 4, at::native::_cuda_scatter_gather_internal_kernel<false> >(int)
void (anonymous namespace)::elementwise_kernel_with_index<int, at::native::arange_cuda_out(c10::Scalar const&)::{lambda(long)#1}>(int)
void at_cuda_detail::cub::DeviceSelectSweepKernel<at_cuda_detail::cub::DispatchSelectIf<at_cuda_detail::cub::CountingInputIterator<long, long> > >(int)
void vllm::reshape_and_cache_flash_kernel<__nv_bfloat16, __nv_bfloat16, (vllm::Fp8KVCacheDataType)0>(__nv_bfloat16 const*)
void vllm::concat_and_cache_mla_kernel<__nv_bfloat16, __nv_bfloat16>(int)
void flashinfer::AppendPagedKVCacheKernel<128u, 8u, __nv_bfloat16, int>(int)
void (anonymous namespace)::store_kvcache<2048l, 4, false, long>((anonymous namespace)::StoreKVCacheParams)
create_flashinfer_kv_indices_triton
set_mla_kv_buffer_kernel
void vllm::moe::moe_align_block_size_kernel<int>(int*)
_ZN7ck_tile6kentryILi1ENS_16MoeSortingKernelINS_17MoeSortingProblemExIiffLi1ELb1E
void tensorrt_llm::kernels::cutlass_kernels::finalizeMoeRoutingKernel<__nv_bfloat16, __nv_bfloat16>(int)
_finalize_matmul_scatter_bf16
_combined_routing_compute
_sum_bitmatrix_rows
batched_transpose_32x32_half
void cudnn::ops::nchwToNhwcKernel<float, float, float, false, true, (cudnnKernelDataType_t)0>(cudnn::ops::nchw2nhwc_params_t<float>)
void foldedNhwcToNhwcKernel<float, float, float, true, (cudnnKernelDataType_t)0>(int)
triton_poi_fused__unsafe_view_clone_slice_transpose_11
triton_poi_fused__scaled_dot_product_flash_attention_cat_transpose_view_10
triton_poi_fused_constant_pad_nd_moe_forward_0
triton_poi_fused_zeros_0
void at::native::index_put_with_sort_kernel<float>(int)
_fwd_kernel_ep_scatter_2
void at::native::(anonymous namespace)::reflection_pad2d_out_kernel<float>(float const*)
void fbgemm_gpu::permute_2D_data_kernel<true, int>(int)
void deep_gemm::transpose_and_pack_fp32_into_ue8m0<512u>(int)
""",
    "Elementwise": """
void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<c10::BFloat16>, std::array<char*, 3ul> >(int)
void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::BinaryFunctor<c10::BFloat16, c10::BFloat16, c10::BFloat16, at::native::binary_internal::MulFunctor<float> > > >(int)
void at::native::vectorized_elementwise_kernel<4, at::native::GeluCUDAKernelImpl(at::TensorIteratorBase&, at::native::GeluType)::{lambda()#2}::operator()() const::{lambda(float)#1}>(int)
void at::native::vectorized_elementwise_kernel<4, at::native::bfloat16_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda(float)#1}, std::array<char*, 2ul> >(int)
void at::native::vectorized_elementwise_kernel<4, at::native::bfloat16tofloat32_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda(c10::BFloat16)#1} >(int)
void at::native::unrolled_elementwise_kernel<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda(float)#1}, std::array<char*, 2ul>, 4, TrivialOffsetCalculator<1, unsigned int>, TrivialOffsetCalculator<1, unsigned int>, at::native::memory::LoadWithCast<1>, at::native::memory::StoreWithCast<1> >(int)
void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda(float)#1}> >(int)
void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::(anonymous namespace)::masked_fill_kernel(at::TensorIterator&, c10::Scalar const&)> >(int)
void at::native::vectorized_elementwise_kernel<4, at::native::copysign_kernel_cuda(at::TensorIteratorBase&)::{lambda()#1} >(int)
void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::MeanOps<float, float, float, float>, unsigned int, float, 4> >(int)
void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::NormTwoOps<float, float>, unsigned int, float, 4> >(int)
void at::native::(anonymous namespace)::distribution_elementwise_grid_stride_kernel<float, 4, at::native::templates::cuda::normal_and_transform<c10::BFloat16> >(int)
void at::native::(anonymous namespace)::multi_tensor_apply_kernel<at::native::(anonymous namespace)::TensorListMetadata<2>, at::native::(anonymous namespace)::BinaryOpListAlphaFunctor<float, 2, 2, 0> >(int)
void at::native::(anonymous namespace)::upsample_nearest2d_out_frame<c10::BFloat16, &at::native::nearest_neighbor_compute_source_index>(c10::BFloat16 const*)
void at::native::tensor_kernel_scan_innermost_dim<float, std::plus<float> >(float*)
void at::native::(anonymous namespace)::fused_dropout_kernel_vec<float, float, unsigned int, 1, 4, bool>(int)
void vllm::rotary_embedding_kernel<c10::BFloat16, true>(long const*, c10::BFloat16*)
void flashinfer::BatchQKApplyRotaryPosIdsCosSinCacheKernel<true, 128u, 8u, 16u, __nv_bfloat16, long>(int)
_triton_rope
void vllm::act_and_mul_kernel<c10::BFloat16, &vllm::silu_kernel<c10::BFloat16>, true>(c10::BFloat16*)
_ZN7sgl_hip10activation18act_and_mul_kernelI14__hip_bfloat16TnPFT_RKS3_EXadL_Z4siluIS2_ES3_S5_EEEEvPS3_PS4_i
void flashinfer::activation::act_and_mul_kernel<__nv_bfloat16, &silu>(__nv_bfloat16*)
_swiglu_forward_kernel
void vllm::scaled_fp8_quant_kernel<c10::BFloat16>(int)
_per_token_group_quant_8bit
per_token_group_quant_8bit_kernel
void kDequantizeBlockwise<__nv_bfloat16, 512, 64, 8, 2>(float*)
void cvt_fp16_to_fp4<__nv_bfloat16, false>(int, int)
void cudnn::ops::scalePackedTensor_kernel<float, float>(long, float*, float)
SubTensorOpWithScalar1d
triton_poi_fused_addmm_gelu_view_15
triton_poi_fused_convolution_silu_3
triton_poi_fused__to_copy_1
triton_poi_fused_0
triton__0d1d2d3d4de
triton_for_fused_2
void thrust::cuda_cub::core::_kernel_agent<thrust::cuda_cub::__parallel_for::ParallelForAgent<int> >(int)
void cub::CUB_200101_800_NS::DeviceScanKernel<int>(int)
void tensorrt_llm::kernels::applyBiasRopeUpdateKVCacheV2<__nv_bfloat16>(int)
void transformer_engine::cast_transpose_optimized_kernel<int>(int)
void fast_hadamard_transform_kernel<int>(int)
_kernel_quantize_fp8_row
""",
    "Other": """
void at::native::(anonymous namespace)::max_pool_forward_nchw<float, float>(int, float const*)
void at::native::(anonymous namespace)::adaptive_average_pool<float>(float const*)
void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::ArgMaxOps<float>, unsigned int, long, 4, 4> >(int)
void at::native::sbtopk::gatherTopK<float, unsigned int, 2, false>(int)
void at::native::radixSortKVInPlace<-2, -1, 64, 32, float, long, unsigned int>(int)
void at_cuda_detail::cub::DeviceRadixSortOnesweepKernel<at_cuda_detail::cub::DeviceRadixSortPolicy<float, long, int>::Policy800>(int)
void vllm::moe::topkGatingSoftmax<8, 128, 4, 16, 32, int>(float const*, bool const*)
void moe_fused_gate_kernel<__nv_bfloat16, 8, 256>(void*)
_topk_forward
void flashinfer::sampling::TopPSamplingFromProbKernel<1024u, (cub::BlockScanAlgorithm)2>(float*)
void flashinfer::sampling::TopKRenormProbKernel<1024u>(float*)
void selective_scan_fwd_kernel<Selective_Scan_fwd_kernel_traits<32, 16, 1, true, true, true, true, c10::BFloat16> >(SSMParamsBase)
fused_recurrent_gated_delta_rule_fwd_kernel
triton_poi_fused_max_pool2d_with_indices_relu_2
""",
}
"""Kernel names, one a line, by `category` or `category/child`."""


@pytest.mark.parametrize(
    ("category", "name"),
    [(key, line) for key, lines in KERNELS.items() for line in lines.strip().splitlines()],
)
def test_kernel_names(category: str, name: str) -> None:
    rule = match_kernel(name, Kind.KERNEL)
    assert shown(rule) == category, rule


@pytest.mark.parametrize("kind", [Kind.MEMCPY, Kind.MEMSET])
def test_copies_and_sets_are_memory_whatever_their_name(kind: Kind) -> None:
    for name in ("Memcpy DtoD (Device -> Device)", "gemm", ""):
        rule = match_kernel(name, kind)
        assert rule is not None
        assert rule.category == "Memory"


@pytest.mark.parametrize("name", ["", "kernel", "void f(int)", "my_experiment", "helion_3"])
def test_kernel_names_that_say_nothing_have_no_rule(name: str) -> None:
    assert match_kernel(name, Kind.KERNEL) is None
