/**
 * Chinese words of the half-duplex page, some in place of those of all calls; half-duplex-en.js has
 * the same keys.
 */
export default {
  'call.title.half_duplex': '半双工语音 · MiniCPM-o 4.5',
  'call.log_empty.half_duplex': '开始通话就能聊。你停下来，模型就回答；它说完，又轮到你。',
  'call.you_spoke': '语音输入，第 {turn} 轮（{seconds} 秒）',
  'call.turns': { other: '{count} 轮' },
  'call.clock': '还剩 {time}',

  'call.stop': '结束通话',
  'call.stop_answer': '停止回答',
  'call.stop_answer_title': '停止回答（Esc）',
  'call.hint': '无需按键：直接说，想听回答就停一下。建议戴耳机。Esc 停止回答，M 静音。',
  'call.hint_live': '模型不说话时才会听你说。',

  'call.state.queued_at': '排队中，第 {position} 位',
  'call.state.hearing': '你在说话',
  'call.state.thinking': '正在想（听了 {seconds} 秒）',
  'call.state.answering': '正在回答',
  'call.state.resting': '马上轮到你',
  'call.state.timeout': '时间到了',
  'call.state.broken': '通话中断',

  'call.settings_when': '音量、延迟和字幕立即生效，其余从下次通话起生效。',
  'call.spoken_help': '关闭后，回答只有文字。',
  'call.threshold': '检测阈值',
  'call.threshold_help': '有多大把握才算有人说话。调低能听到轻声，调高能忽略噪音。',
  'call.min_silence': '停顿多久算说完（毫秒）',
  'call.min_silence_help': '短一些回答更快，长一些可以边想边说。100 到 3000。',
  'call.max_new_tokens_help': '32 到 2048。一个 token 大约相当于一个半汉字。',
  'call.temperature': '温度',
  'call.temperature_help': '低则用词稳妥，高则变化更多。',
  'call.limit': '通话最长时间（秒）',
  'call.limit_help': '30 到 600。服务器允许的时间可能更短。',

  'banner.slow': '网络跟不上，模型会晚一些听到你。',

  'failure.insecure_context.title': '这个页面不能使用麦克风',
  'failure.insecure_context.hint': '浏览器只允许在 HTTPS 或 localhost 下使用。请改为打开 https://{host}（服务启动时不要加 --http）。',
  'failure.mic_missing.hint': '请插上麦克风，或在系统设置里启用，然后重新开始。',
  'failure.mic_failed.hint': '请重新开始，或在“设备”里换一个。',
  'failure.inference_error.title': '模型在这一轮出错了',
  'failure.inference_error.hint': '通话还在继续：请再说一遍。如果又出错，请重新通话。',
  'failure.too_large.title': '对话超出了模型能容纳的长度',
  'failure.too_large.hint': '请结束通话，重新开始一段对话。',
};
