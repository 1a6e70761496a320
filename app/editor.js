// A text with line numbers, its wrong line marked, and under it what is wrong there. Texts come in
// as data and reach the page as `value` and `textContent` alone.
const PAUSE = 400; // milliseconds without a key until the text is sent
const LINE = 20; // pixels; --line in the style sheet
const TOP = 8; // pixels above the first line

export default function ({ data, parentElement, setStateValue }) {
  const editor = parentElement.querySelector(".editor");
  const area = editor.querySelector("textarea");
  const numbers = editor.querySelector(".numbers");
  const mark = editor.querySelector(".mark");
  const message = editor.querySelector(".message");
  const wrong = data.line > 0;

  const scroll = () => {
    numbers.style.translate = `0 ${-area.scrollTop}px`;
    mark.style.top = `${TOP + (data.line - 1) * LINE - area.scrollTop}px`;
  };
  const lay = () => {
    const count = area.value.split("\n").length;
    if (editor.count !== count) {
      editor.count = count;
      editor.style.setProperty("--lines", count);
      numbers.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
    }
    scroll();
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
    area.scrollTop = area.scrollLeft = 0;
  }
  mark.hidden = message.hidden = !wrong;
  area.setAttribute("aria-invalid", wrong);
  message.textContent = wrong ? `Line ${data.line}: ${data.message}` : "";
  lay();
  // A line that is out of sight is shown once: who scrolls away from it meant to.
  if (wrong && editor.told !== message.textContent) {
    const top = (data.line - 1) * LINE;
    if (top < area.scrollTop || top + LINE > area.scrollTop + area.clientHeight - TOP) {
      area.scrollTop = top - area.clientHeight / 2;
      scroll();
    }
  }
  editor.told = message.textContent;

  area.onscroll = scroll;
  area.oninput = () => {
    lay();
    clearTimeout(editor.timer);
    editor.timer = setTimeout(send, PAUSE);
  };
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  };
  return () => clearTimeout(editor.timer);
}
