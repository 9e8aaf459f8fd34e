/** What `mm doctor` says of one thing: fine, or wrong, with what to do and, where that is safe, what mends it. */
export interface Finding {
  check: string
  ok: boolean
  message: string
  hint: string
  /** what `--repair` does: only to files that the system itself has written */
  repair?: () => unknown
}

export const fine = (check: string, message: string): Finding => ({ check, ok: true, message, hint: '' })

export const wrong = (check: string, message: string, hint: string, repair?: () => unknown): Finding => ({
  check,
  ok: false,
  message,
  hint,
  ...(repair && { repair }),
})
