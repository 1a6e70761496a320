// A text with line numbers, and a message under the line that it is about. Texts come in as data
// and reach the page as `value` and `textContent` alone.
const PAUSE = 400; // milliseconds without a key until the text is sent
const LINE = 20; // pixels; --line in the style sheet

export default function ({ data, parentElement, setStateValue }) {
  const editor = parentElement.querySelector(".editor");
  const area = editor.querySelector("textarea");
  const numbers = editor.querySelector(".numbers");
  const mark = editor.querySelector(".mark");
  const message = editor.querySelector(".message");

  const lay = () => {
    const lines = area.value.split("\n");
    numbers.textContent = lines.map((_, index) => index + 1).join("\n");
    area.style.height = `calc(${lines.length} * var(--line))`;
    area.style.width = `${Math.max(...lines.map((line) => line.length)) + 4}ch`;
  };
  const send = () => {
    clearTimeout(editor.timer);
    setStateValue("typed", { edition: data.edition, text: area.value });
  };

  // What was typed since the last answer stays: only another edition takes the text's place.
  if (editor.edition !== data.edition) {
    clearTimeout(editor.timer);
    editor.edition = data.edition;
    area.value = data.text;
  }
  lay();
  area.oninput = () => {
    lay();
    clearTimeout(editor.timer);
    editor.timer = setTimeout(send, PAUSE);
  };
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  };

  const wrong = data.line > 0;
  editor.classList.toggle("wrong", wrong);
  area.setAttribute("aria-invalid", wrong);
  mark.hidden = message.hidden = !wrong;
  const top = area.offsetTop + (data.line - 1) * LINE;
  mark.style.top = `${top}px`;
  message.style.top = `${top + LINE}px`;
  mark.style.width = `${area.offsetLeft + area.offsetWidth}px`;
  editor.onscroll = () => (message.style.translate = `${editor.scrollLeft}px`);
  message.textContent = wrong ? `Line ${data.line}: ${data.message}` : "";
  // It lies over the lines that follow: who goes there reads them through it.
  const last = data.line + Math.ceil(message.offsetHeight / LINE);
  area.onkeyup = area.onclick = () => {
    const caret = area.value.slice(0, area.selectionStart).split("\n").length;
    message.classList.toggle("aside", caret > data.line && caret <= last);
  };
  area.onkeyup();
  return () => clearTimeout(editor.timer);
}
