import { Socket } from 'node:net';

/** Unit tests reach no other machine: connecting anywhere but to this one throws, and the error names the host. */
const connect = Socket.prototype.connect;
Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  const first = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0];
  const target = typeof first === 'object' && first !== null ? (first as { host?: string; path?: string }) : {};
  const host = typeof args[1] === 'string' && typeof first === 'number' ? args[1] : (target.host ?? 'localhost');
  if (target.path === undefined && !/^(localhost|127\.[\d.]+|::1)$/.test(host)) {
    throw new Error(`a unit test connects to ${host}; unit tests use no network`);
  }
  return (connect as (...connectArgs: unknown[]) => Socket).apply(this, args);
};
