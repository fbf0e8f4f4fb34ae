/** Omni full-duplex: the model also sees, one picture a second from the camera or a video file. */

import { startDuplexPage } from './duplex-page.js';
import { OmniPictures } from './omni-pictures.js';

await startDuplexPage({
  app: 'omni',
  route: '/omni',
  name: 'omni',
  prefix: 'omni',
  hasVideo: true,
  lengthPenalty: 1.1,
  fileLimitS: 120,
  openPictures: (parts) => new OmniPictures(parts),
});
