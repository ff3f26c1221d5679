import { api } from '../contract/paths.js';
import { send } from './requests.js';

/** Asks for a session with the token, which a dashboard that others can reach was started with. */
export async function openSession(token: string): Promise<void> {
  await send(api.session, { token });
}

/** The token of the address that the server has printed. What is after # is not sent; it is taken out so that it is not seen, kept or shared. */
export function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) history.replaceState(history.state, '', location.pathname + location.search);
  return token;
}
