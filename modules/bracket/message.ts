/** All of a message that has come so far, in its chunks, put together only when somebody asks for it. */
export class Message {
  length = 0
  private text = ''
  /** behind that text */
  private chunks: string[] | undefined

  add(chunk: string): void {
    if (this.length === 0) this.text = chunk
    else if (this.chunks === undefined) this.chunks = [chunk]
    else this.chunks.push(chunk)
    this.length += chunk.length
  }

  whole(): string {
    if (this.chunks !== undefined) this.text += this.chunks.join('')
    this.chunks = undefined
    return this.text
  }
}
