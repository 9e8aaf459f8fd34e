/** Which failures a disk that takes no writes is behind. */
import { expect, it } from 'vitest'
import { coded } from '../../modules/lib/errors.ts'
import { isRefusedWrite, writeFailure } from '../../modules/lib/write-failure.ts'

const errno = (code: string): Error => Object.assign(new Error(code), { code })

it.each(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', 'EROFS', 'EACCES', 'SQLITE_READONLY'])('%s is one', (code) => {
  expect(isRefusedWrite(errno(code))).toBe(true)
  expect(isRefusedWrite(writeFailure(errno(code), 'runtime/x'))).toBe(true)
  const wrapped = coded('init_threw', { reason: 'x' }, {}, new Error('around it', { cause: errno(code) }))
  expect(isRefusedWrite(wrapped)).toBe(true)
})

it.each(['EIO', 'SQLITE_IOERR', 'SQLITE_IOERR_FSYNC'])('%s, which may pass, is one, and says what it is', (code) => {
  expect(isRefusedWrite(errno(code))).toBe(true)
  expect(writeFailure(errno(code), 'runtime/x').code).toBe('file_failed')
})

it('others are not, also when they lead back to themselves', () => {
  const ring = new Error('ring')
  ring.cause = ring
  for (const one of [undefined, null, 'ENOSPC', 5, new Error('ENOSPC'), errno('ENOENT'), ring])
    expect(isRefusedWrite(one)).toBe(false)
})
