// The element <vms-console router="…">: a terminal over a web socket.
//
// It tells its state by the event `consolestate`, whose detail is `connecting`, `open` or `closed`, a
// line break, and why; and asks to be left (Ctrl+Shift+L) by `consoleleave`. The event `again` makes it
// connect anew.
import { FitAddon } from './addon-fit.mjs';
import { Terminal } from './xterm.mjs';

const nonce = document.querySelector('script[nonce]')?.nonce ?? '';

// The page's policy lets in only styles with its nonce, and no style attributes that are set as text. So the
// terminal's style sheets, all of which it makes when it opens, get the nonce; and what it writes into the
// style attribute of a span goes there as properties, which comes to the same.
const create = document.createElement;
function withNonce(...what) {
  const made = create.apply(document, what);
  if (made.localName === 'style') made.nonce = nonce;
  return made;
}
HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};

// What the server says by a close code, where it gives no reason.
const REASONS = {
  1000: 'The router closed it.',
  1001: 'The server ends.',
  1006: 'The connection was cut, or never came about.',
};

// What is pasted goes in pieces of so many bytes: the server takes no larger message than sixteen of them.
const PIECE = 1 << 16;

class Console extends HTMLElement {
  connectedCallback() {
    this.terminal = new Terminal({
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      fontFamily: getComputedStyle(this).getPropertyValue('--mono') || 'monospace',
      fontSize: 13,
      scrollback: 5000,
      screenReaderMode: false,
      theme: {
        background: '#0b111a', foreground: '#dbe4f0', cursor: '#93a8ff', selectionBackground: '#34456e',
        black: '#1c2733', red: '#fc7985', green: '#50e2a7', yellow: '#f5b041', blue: '#8aa2ff', magenta: '#c8a6ff', cyan: '#5fd3e8', white: '#dbe4f0',
        brightBlack: '#7d8ea6', brightRed: '#ff9aa3', brightGreen: '#86f0c5', brightYellow: '#ffd07a', brightBlue: '#b3c2ff', brightMagenta: '#dfc9ff', brightCyan: '#9be8f5', brightWhite: '#ffffff',
      },
    });
    this.fit = new FitAddon();
    this.terminal.loadAddon(this.fit);
    document.createElement = withNonce;
    try {
      this.terminal.open(this);
    } finally {
      delete document.createElement;
    }
    this.terminal.textarea?.setAttribute('aria-label', `Console of ${this.getAttribute('name')}; Control, Shift and L leaves it`);
    this.terminal.attachCustomKeyEventHandler((event) => {
      if (event.ctrlKey && event.shiftKey && event.code === 'KeyL') {
        event.preventDefault();
        if (event.type === 'keydown') this.dispatchEvent(new CustomEvent('consoleleave', { bubbles: true }));
        return false;
      }
      return true;
    });
    const bytes = new TextEncoder();
    this.terminal.onData((text) => this.send(bytes.encode(text)));
    this.terminal.onBinary((text) => this.send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    this.sizes = new ResizeObserver(() => this.fit.fit());
    this.sizes.observe(this);
    this.addEventListener('again', () => this.connect());
    this.fit.fit();
    this.terminal.focus();
    this.connect();
  }

  disconnectedCallback() {
    this.sizes.disconnect();
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.terminal.dispose();
  }

  connect() {
    this.tell('connecting');
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/routers/${this.getAttribute('router')}/console`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    // What an older one says is over.
    const mine = (act) => (event) => { if (this.socket === socket) act(event); };
    // The server's last words, where it has any: a text. Everything else is the terminal's.
    let last = '';
    socket.onmessage = mine(({ data }) => {
      if (typeof data === 'string') {
        last = data;
        return;
      }
      // The first message, which may be empty, says that it is open.
      if (this.state !== 'open') {
        this.tell('open');
        this.terminal.focus();
      }
      this.terminal.write(new Uint8Array(data));
    });
    socket.onclose = mine(({ code, reason }) => this.tell('closed', last || reason || REASONS[code] || `It was closed (${code}).`));
  }

  send(data) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < data.length; at += PIECE) this.socket.send(data.subarray(at, at + PIECE));
  }

  tell(state, why = '') {
    this.state = state;
    this.dispatchEvent(new CustomEvent('consolestate', { bubbles: true, detail: `${state}\n${why}` }));
  }
}

customElements.define('vms-console', Console);
