//! Known failures: each is told where it is, and nowhere else; equal crashes have one fingerprint.

mod bypasses;
mod corpus;
mod equal;
mod examples;
mod files;
mod routes;

use std::path::{Path, PathBuf};

use agxrun::diagnose::diagnose;
use agxrun::reports::model::{Exception, Frame, Image, Report, Thread};
use agxrun::reports::{Kind, read_file};

/// The folder of test data of that name.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn read(folder: &str, file: &str) -> Report {
    read_file(&data(folder).join(file)).unwrap_or_else(|error| panic!("{error}"))
}

fn id(report: &Report) -> Option<String> {
    diagnose(report).map(|diagnosis| diagnosis.id)
}

/// A crash with these frames, innermost first, each as image and symbol.
fn crash(kind: &str, signal: &str, frames: &[(&str, &str)]) -> Report {
    let mut images: Vec<Image> = Vec::new();
    let mut index_of = |name: &str| {
        let known = images
            .iter()
            .position(|image| image.name.as_deref() == Some(name));
        known.unwrap_or_else(|| {
            images.push(Image {
                name: Some(name.to_owned()),
                ..Image::default()
            });
            images.len() - 1
        })
    };
    let frames = frames
        .iter()
        .map(|(image, symbol)| Frame {
            symbol: Some((*symbol).to_owned()),
            symbol_location: Some(32),
            image_index: Some(index_of(image)),
            image_offset: Some(0x1000),
            ..Frame::default()
        })
        .collect();
    Report {
        kind: Kind::Crash,
        exception: Some(Exception {
            kind: Some(kind.to_owned()),
            signal: Some(signal.to_owned()),
            ..Exception::default()
        }),
        faulting_thread: Some(0),
        threads: vec![Thread {
            triggered: true,
            frames,
            ..Thread::default()
        }],
        images,
        ..Report::default()
    }
}
