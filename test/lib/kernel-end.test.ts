/** Who hears that a kernel's time is over, and what is kept for it. */
import { expect, it } from 'vitest'
import type { NextKernel } from '../../modules/contracts/kernel-port.ts'
import { KernelEnd } from '../../modules/lib/kernel-end.ts'

const next = { release() {} } as unknown as NextKernel

it('everybody who waits hears of the first end, and of no other', async () => {
  const end = new KernelEnd()
  const both = Promise.all([end.wait(), end.wait()])
  end.announce(next)
  end.announce(null)
  expect(await both).toEqual([next, next])
  // Told already: a kernel that is gone holds nobody.
  expect(await end.wait()).toBeNull()
})

it('an end nobody waited for is kept for the first who asks', async () => {
  const end = new KernelEnd()
  end.announce(next)
  expect(await end.wait()).toBe(next)
  expect(await end.wait()).toBeNull()
})

it('a kernel that is gone back to ends anew', async () => {
  const end = new KernelEnd()
  end.announce(next)
  end.beginAnew()
  const wait = end.wait()
  end.announce(null)
  expect(await wait).toBeNull()
})
