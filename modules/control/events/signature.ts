/** What makes an event its sender's: an HMAC over every field, with a key that only both know. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SignedEvent } from '../../contracts/signed-events.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'

export const hmac = (key: string | Buffer, text: string): string => createHmac('sha256', key).update(text).digest('hex')

export const isSame = (one: string, other: string): boolean => {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

export function signatureOf(key: string, { signature: _signature, ...event }: SignedEvent): string {
  return hmac(key, canonicalJson(event))
}
