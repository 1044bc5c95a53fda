//! Two nodes in one process exchange a message over the local air.

use std::error::Error;

use chappe::link::air::{AirOptions, AirTransport, NodeName};
use chappe::{Builder, Chappe, Delivery, Draft, Event, Events, Home, Profile, Update};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let start = async |name: &str| -> Result<(Chappe, Events), Box<dyn Error>> {
        let home = Home::create(&folder.path().join(name), Some(Profile::named(name)), None)?;
        let air = folder.path().join("air");
        let radio = AirTransport::new(&air, NodeName::new(name)?, AirOptions::default());
        Ok(Builder::at(home).transport(radio).start().await?)
    };
    let (north, mut north_events) = start("north").await?;
    let (south, mut south_events) = start("south").await?;

    // Each scans the other's contact URI.
    let (of_north, of_south) = (north.invite().await?, south.invite().await?);
    let to_south = north.add_contact(&of_south, None, true).await?;
    south.add_contact(&of_north, None, true).await?;

    // It is on disk when `send` returns, whether anybody is in range or not.
    let text = Draft::Text("The telegraph works.".into());
    println!("accepted as {}", north.send(to_south.id, text).await?.0);

    while let Some(update) = south_events.next().await {
        if let Update::Event(Event::Received(message)) = update {
            println!(
                "{} ({:?}): {:?}",
                message.name, message.trust, message.content
            );
            break;
        }
    }
    // A receipt comes back, after a delay that tells relays less.
    while let Some(update) = north_events.next().await {
        if let Update::Event(Event::Sent(message)) = update
            && message.state == Delivery::Delivered
        {
            println!("delivered");
            break;
        }
    }
    north.close().await;
    south.close().await;
    Ok(())
}
