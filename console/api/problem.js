/** What went wrong with a question: the API's own sentence, or that there was no answer. */

export class Problem extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {string} detail a sentence for a person; empty where the API said none
   * @param {{ field?: string, request?: string }} [more]
   */
  constructor(status, detail, { field = "", request = "" } = {}) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.detail = detail;
    this.field = field;
    this.request = request;
  }

  /** Nobody answers, or the server is in trouble: worth asking again, and no fault of the question. */
  get isOutage() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * The problem that an answer tells of, by RFC 9457 or by the gateway.
 * @param {Response} response
 */
export async function problemOf(response) {
  /** @type {{ detail?: string, field?: string, message?: string }} */
  let body = {};
  try {
    body = await response.json();
  } catch {
    // a proxy's page, or nothing
  }
  const request = response.headers.get("apigw-requestid") ?? response.headers.get("x-request-id") ?? "";
  return new Problem(response.status, body.detail ?? "", { field: body.field, request });
}
