/**
 * Text put together from many small pieces. The engine keeps every piece of a text that is only ever added to, and moves
 * all of them at each collection. For a few thousand that is the quickest way; what comes after them becomes one text
 * every few hundred. Used for strings and for the text between fences.
 */
const LOOSE_MAX = 4_096
const JOIN_AT = 512

export class Pieces {
  private text = ''
  private count = 0
  private later: string[] | undefined

  add(piece: string): void {
    if (this.count++ < LOOSE_MAX) this.text = this.text === '' ? piece : this.text + piece
    else if (this.later === undefined) this.later = [piece]
    else if (this.later.push(piece) >= JOIN_AT) this.whole()
  }

  whole(): string {
    if (this.later !== undefined) this.text += this.later.join('')
    this.later = undefined
    return this.text
  }

  /** The same, and nothing is left. */
  take(): string {
    const whole = this.whole()
    this.text = ''
    this.count = 0
    return whole
  }
}
