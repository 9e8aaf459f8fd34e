/**
 * Shows on stderr that a command still works, once it has taken longer than a person waits without wondering. Only at a
 * terminal: what is piped or read by a program holds nothing of it.
 */
const FIRST_MS = 500
const AGAIN_MS = 200

/** Says what is done now, when there is more to say than at the beginning. */
export type Tell = (text: string) => void

export async function withProgress<T>(label: string, work: (tell: Tell) => Promise<T>): Promise<T> {
  const { stderr } = process
  if (!stderr.isTTY) return work(() => undefined)
  const since = performance.now()
  let doing = label
  let shown = false
  const show = (): void => {
    shown = true
    const seconds = Math.round((performance.now() - since) / 1_000)
    stderr.write(`\r\u001b[2K${`${doing} … ${seconds} s`.slice(0, stderr.columns - 1)}`)
  }
  let timer = setTimeout(() => {
    show()
    timer = setInterval(show, AGAIN_MS)
  }, FIRST_MS)
  try {
    return await work((text) => {
      doing = text
    })
  } finally {
    clearTimeout(timer)
    if (shown) stderr.write('\r\u001b[2K')
  }
}
