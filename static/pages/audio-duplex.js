/** Audio full-duplex: a voice call in which both sides may speak at any time. */

import { startDuplexPage } from './duplex-page.js';

await startDuplexPage({
  app: 'audio_duplex',
  route: '/audio_duplex',
  name: 'audio_duplex',
  prefix: 'adx',
  hasVideo: false,
  lengthPenalty: 1.05,
  fileLimitS: 300,
  note: 'experimental',
});
