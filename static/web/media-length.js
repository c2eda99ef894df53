// The length of a chosen file, as far as the browser can tell without sending it anywhere.

const PATIENCE = 10_000; // ms; a browser that cannot read a file may say nothing

/**
 * Seconds of a video or a sound; 0 where the browser cannot tell.
 * @param {File} file
 * @returns {Promise<number>}
 */
export function lengthOf(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const end = () => {
      const { duration } = video;
      URL.revokeObjectURL(address);
      resolve(Number.isFinite(duration) ? duration : 0);
    };
    video.addEventListener("loadedmetadata", end, { once: true });
    video.addEventListener("error", end, { once: true });
    setTimeout(end, PATIENCE);
    video.preload = "metadata";
    video.src = address;
  });
}
