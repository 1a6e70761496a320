// A plain click on a box of the diagram opens it on this page: the link alone would load the page
// again, and throw away what is typed and not yet right. Other clicks remain the link's.
export default function ({ data, setTriggerValue }) {
  const take = (event) => {
    const other = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    const link = event.target.closest('[data-testid="stGraphVizChart"] a');
    if (!link || other) return;
    event.preventDefault();
    const address = new URL(link.href.baseVal ?? link.href, document.baseURI);
    setTriggerValue("opened", address.searchParams.get(data.key) ?? "");
  };
  document.addEventListener("click", take);
  return () => document.removeEventListener("click", take);
}
