/** What the service accepts; the pages refuse more before uploading it. */

export const SAMPLE_RATE = 16_000;
export const SPEECH_SAMPLE_RATE = 24_000;
export const MAX_AUDIO_S = 600;
export const MAX_DECODED_AUDIO_S = 1800; // longer sound does not fit into a page's memory
export const MAX_VIDEO_S = 60;
export const MIN_VOICE_S = 0.5;
export const MAX_VOICE_S = 20;
export const MIN_RECORDED_VOICE_S = 3;
export const MAX_AUDIO_FILE_BYTES = 30_000_000;
export const MAX_VIDEO_FILE_BYTES = 30_000_000;
export const MAX_IMAGE_FILE_BYTES = 20_000_000;
export const MAX_IMAGE_EDGE_PX = 1280; // what is larger, the model would scale down anyway
export const MAX_ATTACHMENTS = 64;
export const MAX_KEPT_ATTACHMENT_BYTES = 60_000_000; // before they are sent, in the browser
export const MAX_REQUEST_CHARACTERS = 128 * 1024 * 1024;
export const MAX_NEW_TOKENS = 2048;
export const MAX_COMMENT_CHARACTERS = 2000; // about a recording
export const MAX_RECORDING_BYTES = 200 * 1024 * 1024; // made by a page and uploaded
