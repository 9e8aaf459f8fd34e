/** Content hashes: SHA-256, shortened to 16 hex digits (64 bits) wherever they only tell versions apart. */
import { hash } from 'node:crypto'

export const sha256 = (data: string | Uint8Array): string => hash('sha256', data, 'hex')

export const shortHash = (data: string | Uint8Array): string => sha256(data).slice(0, 16)
