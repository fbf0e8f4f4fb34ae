/** WebSockets that carry one JSON object a frame. */

/** @param {{protocol: string, host: string}} location @param {string} path */
export function socketUrl(location, path) {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`;
}

/**
 * Unreadable frames are passed over: what a newer server adds is never fatal.
 *
 * @param {string} url
 * @param {{onOpen: () => void, onMessage: (message: object) => void,
 *          onClose: (event: {code: number, reason: string}) => void}} handlers
 * @param {typeof WebSocket} [Socket]
 */
export function openJsonSocket(url, { onOpen, onMessage, onClose }, Socket = globalThis.WebSocket) {
  const socket = new Socket(url);
  socket.onopen = () => onOpen();
  socket.onmessage = ({ data }) => {
    const message = parseObject(data);
    if (message !== null) onMessage(message);
  };
  socket.onclose = ({ code, reason }) => onClose({ code, reason });
  return socket;
}

function parseObject(data) {
  try {
    const value = JSON.parse(data);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
