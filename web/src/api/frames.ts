/**
 * Server-sent events out of the pieces they arrive in: an event ends with an empty line, wherever the pieces are cut.
 * Pure; used by the event stream and by the chat.
 */

export interface Frame {
  /** undefined: it does not move the place to come back to */
  id: string | undefined
  event: string
  data: string
}

/** Feed it pieces of text; it gives back the events that are whole. */
export class FrameReader {
  #rest = ''

  read(piece: string): Frame[] {
    const blocks = (this.#rest + piece).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    return blocks.map(frameOf).filter((frame) => frame.data !== '')
  }
}

function frameOf(block: string): Frame {
  const frame: Frame = { id: undefined, event: 'message', data: '' }
  const data: string[] = []
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (name === 'id') frame.id = value
    else if (name === 'event') frame.event = value
    else if (name === 'data') data.push(value)
  }
  return { ...frame, data: data.join('\n') }
}

/** The events of an answer that streams, until it ends. */
export async function* framesOf(response: Response): AsyncGenerator<Frame> {
  if (response.body === null) return
  const reader = new FrameReader()
  const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { done, value } = await pieces.read()
      if (done) return
      yield* reader.read(value)
    }
  } finally {
    await pieces.cancel().catch(() => undefined)
  }
}
